# What `cmake --install` brings: the executable, and the actor library for find_package(troupe).
#
# The library is the floors below the services: troupe::actor and, for tests of one's own, troupe::sim; state that
# lasts is troupe::persist. None of them links a database, OpenSSL or libcurl. troupe::store, the journal in a file,
# links SQLite; it is a set of its own, so that only who asks for it needs SQLite's headers (troupeConfig.cmake).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
set(exported troupe_flags)
foreach(pair troupe_base:base troupe_actor:actor troupe_actor_persist:persist troupe_actor_sim:sim)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 target)
  list(GET pair 1 name)
  if(TARGET ${target})
    set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
    list(APPEND exported ${target})
  endif()
endforeach()
set_target_properties(troupe_flags PROPERTIES EXPORT_NAME flags)
install(TARGETS ${exported} EXPORT troupe ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(EXPORT troupe NAMESPACE troupe:: FILE troupeTargets.cmake DESTINATION ${package} COMPONENT library)
set(rooms base actor)
if(TARGET troupe_store)
  set_target_properties(troupe_store PROPERTIES EXPORT_NAME store)
  install(TARGETS troupe_store EXPORT troupe_store ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
  install(EXPORT troupe_store NAMESPACE troupe:: FILE troupeStoreTargets.cmake DESTINATION ${package} COMPONENT library)
  list(APPEND rooms store)
endif()

foreach(room ${rooms})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/troupe/${room} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/troupe COMPONENT library
    FILES_MATCHING PATTERN "*.h" PATTERN postgres EXCLUDE)
endforeach()
write_basic_package_version_file(${CMAKE_BINARY_DIR}/troupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_SOURCE_DIR}/cmake/troupeConfig.cmake ${CMAKE_BINARY_DIR}/troupeConfigVersion.cmake
  DESTINATION ${package} COMPONENT library)

if(TARGET troupe)
  install(TARGETS troupe RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT service)
endif()
