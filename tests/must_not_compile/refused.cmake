# Compiles SOURCE and wants it refused, with every `// expect: words` of it in the first line that is an error.
#   cmake -D COMPILER=... -D ROOT=... -D SOURCE=... -P refused.cmake
execute_process(COMMAND ${COMPILER} -std=c++23 -fsyntax-only -fno-color-diagnostics -fno-elide-type -I ${ROOT} ${SOURCE}
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and must not")
endif()
string(REGEX MATCH "[^\n]*error: [^\n]*" first "${said}")
file(STRINGS ${SOURCE} expectations REGEX "^// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE} expects nothing: say `// expect: words of the error`")
endif()
foreach(expectation IN LISTS expectations)
  string(REPLACE "// expect: " "" words "${expectation}")
  string(FIND "${first}" "${words}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the first error does not say `${words}`:\n${first}\n\nall of it:\n${said}")
  endif()
endforeach()
