# find_package(troupe): the targets troupe::actor, troupe::persist and troupe::sim, and what they stand on.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(fmt)
find_dependency(spdlog)
find_dependency(prometheus-cpp)
include(${CMAKE_CURRENT_LIST_DIR}/troupeTargets.cmake)
