// The smallest test runner that does: a test is a function that checks; the program prints one line
// each.
#ifndef HELIOSTAT_TEST_CHECK_H_
#define HELIOSTAT_TEST_CHECK_H_

#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

namespace heliostat::testing {

struct Test {
    const char* name;
    void (*run)();
};

inline std::vector<Test>& Tests() {
    static std::vector<Test> tests;
    return tests;
}

inline int& Failures() {
    static int failures = 0;
    return failures;
}

struct Registration {
    Registration(const char* name, void (*run)()) { Tests().push_back({name, run}); }
};

inline void Check(bool is_right, const char* what, const char* file, int line) {
    if (is_right) return;
    Failures()++;
    std::printf("  %s:%d: not so: %s\n", file, line, what);
}

// Prints `ok NAME` or `not ok NAME` per test; 1 when one failed.
inline int RunTests() {
    bool is_good = true;
    for (const Test& test : Tests()) {
        Failures() = 0;
        test.run();
        std::printf("%s %s\n", Failures() == 0 ? "ok" : "not ok", test.name);
        is_good &= Failures() == 0;
    }
    return is_good ? 0 : 1;
}

using Random = std::mt19937_64;
inline int64_t Between(Random& random, int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % (static_cast<uint64_t>(most - least) + 1));
}

}  // namespace heliostat::testing

#define TEST_JOINED(a, b) a##b
#define TEST_NAMED(a, b) TEST_JOINED(a, b)
#define TEST(name)                                                                       \
    static void TEST_NAMED(TestAtLine, __LINE__)();                                      \
    static const ::heliostat::testing::Registration TEST_NAMED(registration_, __LINE__)( \
        name, TEST_NAMED(TestAtLine, __LINE__));                                         \
    static void TEST_NAMED(TestAtLine, __LINE__)()
#define CHECK(condition) ::heliostat::testing::Check(condition, #condition, __FILE__, __LINE__)

#endif  // HELIOSTAT_TEST_CHECK_H_
