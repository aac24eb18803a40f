# Writes OUT: a C++ initialiser list of { "0001_name", R"sql(...)sql" } from the SQL files in FILES.
set(text "")
list(SORT FILES)
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} sql)
  string(APPEND text "{ \"${name}\", R\"sql(${sql})sql\" },\n")
endforeach()
file(WRITE ${OUT} "${text}")
