# What every target of ours compiles and links with: target_link_libraries(x PRIVATE p2pdiag_options).
add_library(p2pdiag_options INTERFACE)
target_compile_options(p2pdiag_options INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(P2PDIAG_WERROR)
  target_compile_options(p2pdiag_options INTERFACE -Werror)
endif()

# For the whole build, since a mixture of sanitized and plain objects reports nonsense.
if(P2PDIAG_SANITIZE)
  add_compile_options(-fsanitize=${P2PDIAG_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${P2PDIAG_SANITIZE})
  if(P2PDIAG_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  # ThreadSanitizer does not know fences; Asio's own locks order all that they order.
  if(P2PDIAG_SANITIZE MATCHES thread)
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

# What is fuzzed tells the fuzzer which of its branches an input took.
if(P2PDIAG_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Boost for the whole project: std::filesystem inside Boost.DLL; Asio compiled once, in lib/net.
add_compile_definitions(BOOST_DLL_USE_STD_FS BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
