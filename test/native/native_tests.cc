// Runs all tests that are linked in.

#include "check.h"

int main() { return heliostat::testing::RunTests(); }
