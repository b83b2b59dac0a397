// Compiles tools/cmake/pch.h once for every room.
