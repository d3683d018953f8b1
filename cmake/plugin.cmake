# p2pdiag_add_plugin(NAME SOURCES file… [LINK library…])
#
# An OBJECT library p2pdiag_plugin_NAME_objects, which unit tests link without any dlopen, and from the same
# objects the module lib/p2pdiag/plugins/NAME.so, which exports its table and nothing else.
function(p2pdiag_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK")
  set(objects p2pdiag_plugin_${name}_objects)
  add_library(${objects} OBJECT ${arg_SOURCES})
  target_include_directories(${objects} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${objects} PUBLIC p2pdiag_sdk ${arg_LINK} PRIVATE p2pdiag_options)

  set(module p2pdiag_plugin_${name})
  add_library(${module} MODULE)
  target_link_libraries(${module} PRIVATE ${objects})
  set_target_properties(${module} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${P2PDIAG_PLUGIN_OUTPUT_DIR})
  # Of the libraries that our static ones bring along, a plugin needs only those whose symbols it uses.
  target_link_options(${module} PRIVATE -Wl,--as-needed
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/plugin.map -Wl,--exclude-libs,ALL -Wl,--gc-sections)
  # A sanitizer's runtime lives in the host executable, so its symbols stay open in the module.
  if(NOT P2PDIAG_SANITIZE)
    target_link_options(${module} PRIVATE -Wl,-z,defs)
  endif()
  set_property(GLOBAL APPEND PROPERTY P2PDIAG_PLUGINS ${module})
  install(TARGETS ${module} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/p2pdiag/plugins)
endfunction()
