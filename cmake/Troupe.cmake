# How a room is built: flags for all, and troupe_library(folder DEPS...), which makes
# the library and its tests of what stands in the folder. New files need no new line.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)

add_library(troupe_flags INTERFACE)
target_include_directories(troupe_flags INTERFACE
  $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
target_compile_features(troupe_flags INTERFACE cxx_std_23)
# How we compile ourselves; who uses the installed library compiles as they like.
add_library(troupe_own_flags INTERFACE)
target_link_libraries(troupe_flags INTERFACE $<BUILD_INTERFACE:troupe_own_flags>)
target_compile_options(troupe_own_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough
  -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
  -Werror -fno-omit-frame-pointer
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
target_link_libraries(troupe_flags INTERFACE Threads::Threads fmt::fmt)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_link_options(troupe_own_flags INTERFACE -fuse-ld=lld)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # What is on the disk once is in memory once: no functions that nobody calls, one of those that are alike (and whose
    # address nobody takes), and relocations as bits.
    target_link_options(troupe_own_flags INTERFACE -Wl,--gc-sections -Wl,--icf=safe -Wl,-z,pack-relative-relocs)
  endif()
endif()
if(TROUPE_SANITIZE STREQUAL "address")
  target_compile_options(troupe_own_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(troupe_own_flags INTERFACE -fsanitize=address,undefined)
elseif(TROUPE_SANITIZE STREQUAL "thread")
  target_compile_options(troupe_own_flags INTERFACE -fsanitize=thread)
  target_link_options(troupe_own_flags INTERFACE -fsanitize=thread)
endif()
if(TROUPE_FUZZ)
  # The fuzzers are told which ways are taken; to all others in the tree it means little. Where ways are counted clang 19
  # takes memory that was just made for too small (`back()` behind an `emplace_back()` into room that was reserved), and
  # what goes beyond its memory the address sanitizer sees.
  target_compile_options(troupe_own_flags INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize=object-size)
endif()

# Which ways through the rooms are taken, as the benches have taken them: a release is laid out by that
# (docs/decisions/profile.md). A function that has changed since is compiled without. The file is named from where Ninja
# compiles, and what is local to a file by the name of that file alone, so that each checkout compiles alike.
set(TROUPE_PROFILE_FILE ${CMAKE_SOURCE_DIR}/cmake/release.profdata)
set(TROUPE_PROFILE_OPTIONS "")
if(TROUPE_PROFILE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION MATCHES "^19\\.")
  set(TROUPE_PROFILE_OPTIONS "SHELL:-mllvm -static-func-full-module-prefix=false")
  if(TROUPE_PROFILE STREQUAL "learn")
    list(APPEND TROUPE_PROFILE_OPTIONS -fprofile-generate)
    target_link_options(troupe_own_flags INTERFACE -fprofile-generate)
  elseif(TROUPE_PROFILE STREQUAL "use")
    file(RELATIVE_PATH profile ${CMAKE_BINARY_DIR} ${TROUPE_PROFILE_FILE})
    list(APPEND TROUPE_PROFILE_OPTIONS "-fprofile-use=${profile}"
      -Wno-profile-instr-out-of-date -Wno-profile-instr-unprofiled -Wno-backend-plugin)
  else()
    message(FATAL_ERROR "TROUPE_PROFILE is `use`, `learn` or empty, not `${TROUPE_PROFILE}`.")
  endif()
endif()

# How sanitizers behave in every test: the first report ends it, leaks are reports. Frames of
# coroutines live on the heap, which the check for use after return does not understand.
set(TROUPE_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=0:strict_string_checks=1:check_initialization_order=1"
  "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tools/dev/leaks.txt:print_suppressions=0"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=${CMAKE_SOURCE_DIR}/tools/dev/races.txt"
  "ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19"
  "TSAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19")

# The headers of the standard library that nearly every file includes, compiled once.
add_library(troupe_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cc)
target_link_libraries(troupe_pch PUBLIC troupe_flags)
target_precompile_headers(troupe_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(troupe_pch PRIVATE -Xclang -fno-pch-timestamp)
endif()

# A precompiled header holds absolute paths, so ccache would serve no other checkout from it. It
# takes this sum of what the header includes instead (CCACHE_PCH_EXTSUM, set by ./dev); and the
# header's own path, which CMake names needlessly a second time, leaves the command line.
set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/pch.h)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -w -x c++ -E -P ${CMAKE_SOURCE_DIR}/cmake/pch.h
  OUTPUT_VARIABLE included COMMAND_ERROR_IS_FATAL ANY)
string(SHA256 sum "${CMAKE_CXX_COMPILER_VERSION} ${included}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/troupe_pch.dir/cmake_pch.hxx.pch.sum CONTENT "${sum}\n")

function(troupe_use_pch target)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -Xclang -fno-pch-timestamp)
  endif()
  target_precompile_headers(${target} REUSE_FROM troupe_pch)
endfunction()

# troupe_library(<folder> DEPS <libraries we own or find>... [PRIVATE <libraries>...])
# Makes troupe_<folder> (slashes become underscores) of every *.cc below the folder, and <folder>_test of every
# *_test.cc, with one ctest entry for each test file: `<folder>.<file>`.
function(troupe_library folder)
  cmake_parse_arguments(ROOM "" "" "DEPS;PRIVATE;TEST_DEPS;EXCLUDE" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(here ${CMAKE_SOURCE_DIR}/troupe/${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${here}/*.cc)
  foreach(excluded ${ROOM_EXCLUDE})
    list(FILTER sources EXCLUDE REGEX "^${here}/${excluded}/")
  endforeach()
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")  # of an executable
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")

  if(sources)
    add_library(troupe_${name} STATIC ${sources})
    target_link_libraries(troupe_${name} PUBLIC troupe_flags ${ROOM_DEPS} PRIVATE ${ROOM_PRIVATE})
    target_compile_options(troupe_${name} PRIVATE ${TROUPE_PROFILE_OPTIONS})
    if(TROUPE_PROFILE STREQUAL "use")
      set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${TROUPE_PROFILE_FILE})
    endif()
    troupe_use_pch(troupe_${name})
  else()
    add_library(troupe_${name} INTERFACE)
    target_link_libraries(troupe_${name} INTERFACE troupe_flags ${ROOM_DEPS})
  endif()

  if(TROUPE_TESTS AND tests)
    add_executable(${name}_test ${tests} ${CMAKE_SOURCE_DIR}/tests/main.cc)
    target_link_libraries(${name}_test PRIVATE troupe_${name} ${ROOM_TEST_DEPS} ${ROOM_PRIVATE})
    troupe_use_pch(${name}_test)
    foreach(test ${tests})
      get_filename_component(file ${test} NAME)
      file(RELATIVE_PATH room ${CMAKE_SOURCE_DIR}/troupe ${test})
      string(REGEX REPLACE "_test\\.cc$" "" room ${room})
      string(REPLACE "/" "." room ${room})
      add_test(NAME ${TROUPE_TEST_PREFIX}${room} COMMAND ${name}_test --source-file=*/${file})
      set_tests_properties(${TROUPE_TEST_PREFIX}${room} PROPERTIES
        TIMEOUT 300 ENVIRONMENT "${TROUPE_TEST_ENVIRONMENT}" FAIL_REGULAR_EXPRESSION "test cases: +0 \\|")
    endforeach()
  endif()
endfunction()
