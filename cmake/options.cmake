# What every target of ours compiles and links with: target_link_libraries(x PRIVATE p2pdiag_options).
add_library(p2pdiag_options INTERFACE)
target_compile_options(p2pdiag_options INTERFACE -Wall -Wextra -Wconversion -Wshadow)
if(P2PDIAG_WERROR)
  target_compile_options(p2pdiag_options INTERFACE -Werror)
endif()
if(CMAKE_UNITY_BUILD)
  # g++ takes a .cpp that another one includes for a header.
  target_compile_options(p2pdiag_options INTERFACE -Wno-subobject-linkage)
endif()

# For the whole build, since a mixture of sanitized and plain objects reports nonsense.
if(P2PDIAG_SANITIZE)
  add_compile_options(-fsanitize=${P2PDIAG_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${P2PDIAG_SANITIZE})
  if(P2PDIAG_SANITIZE MATCHES undefined)
    add_compile_options(-fno-sanitize-recover=undefined)
    # Two of three checks would be these, and the tests start programs by the thousand. A null pointer that is
    # used ends the program all the same; the fuzzers check for both.
    if(NOT P2PDIAG_FUZZ)
      add_compile_options(-fno-sanitize=null,alignment)
    endif()
  endif()
  # ThreadSanitizer does not know fences; Asio's own locks order all that they order.
  if(P2PDIAG_SANITIZE MATCHES thread)
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

# With all tests, linking is a fifth of the time to build.
find_program(P2PDIAG_LLD ld.lld)
if(P2PDIAG_TESTS AND P2PDIAG_LLD)
  add_link_options(-fuse-ld=lld)
endif()

# What is fuzzed tells the fuzzer which of its branches an input took.
if(P2PDIAG_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Boost for the whole project: std::filesystem inside Boost.DLL; Asio compiled once, in lib/net.
add_compile_definitions(BOOST_DLL_USE_STD_FS BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
