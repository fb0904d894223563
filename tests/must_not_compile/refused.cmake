# Compiles SOURCE and wants it refused, with every `// expect: words` of it in the first line that is an error, and
# every `// shows: words` in any line.
#   cmake -D COMPILER=... -D ROOT=... -D SOURCE=... -P refused.cmake
execute_process(COMMAND ${COMPILER} -std=c++23 -fsyntax-only -fno-color-diagnostics -fno-elide-type -I ${ROOT} ${SOURCE}
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(result EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, and must not")
endif()

# Every `// KIND: words` of SOURCE must stand in `text`; else `complaint` is said, with the words. Gives what it wanted.
function(want kind text complaint)
  file(STRINGS ${SOURCE} lines REGEX "^// ${kind}: ")
  foreach(line IN LISTS lines)
    string(REPLACE "// ${kind}: " "" words "${line}")
    string(FIND "${text}" "${words}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${complaint} `${words}`:\n${text}\n\nall of it:\n${said}")
    endif()
  endforeach()
  set(wanted "${lines}" PARENT_SCOPE)
endfunction()

string(REGEX MATCH "[^\n]*error: [^\n]*" first "${said}")
want(expect "${first}" "the first error does not say")
if(NOT wanted)
  message(FATAL_ERROR "${SOURCE} expects nothing: say `// expect: words of the error`")
endif()
want(shows "${said}" "nothing of it says")
