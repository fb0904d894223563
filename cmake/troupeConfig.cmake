# find_package(troupe): the targets troupe::actor, troupe::persist and troupe::sim, and what they stand on.
# find_package(troupe COMPONENTS store): troupe::store as well, the journal in an SQLite file.
if((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14) OR
   (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 18))
  set(troupe_FOUND FALSE)
  set(troupe_NOT_FOUND_MESSAGE "its headers are C++23, which ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} does \
not compile. It is tested with clang 19: -DCMAKE_CXX_COMPILER=clang++-19.")
  return()
endif()
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(prometheus-cpp)
include(${CMAKE_CURRENT_LIST_DIR}/troupeTargets.cmake)

foreach(component IN LISTS troupe_FIND_COMPONENTS)
  if(component STREQUAL "store")
    find_dependency(SQLite3)
    include(${CMAKE_CURRENT_LIST_DIR}/troupeStoreTargets.cmake)
  endif()
  if(TARGET troupe::${component})
    set(troupe_${component}_FOUND TRUE)
  elseif(troupe_FIND_REQUIRED_${component})
    set(troupe_FOUND FALSE)
    set(troupe_NOT_FOUND_MESSAGE "it has no component ${component}: there are actor, persist, sim and store.")
  endif()
endforeach()
