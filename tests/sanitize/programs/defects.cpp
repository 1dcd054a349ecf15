// What the sanitizers are there to see. usage: defects race|overflow|shift|leak
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

void race() {
    int shared = 0;
    std::thread other([&shared] { ++shared; });
    ++shared;
    other.join();
    std::printf("%d\n", shared);
}

void overflow() {
    char *volatile bytes =
        static_cast<char *>(std::malloc(8));  // Of a size unknown to the compiler.
    for (volatile int i = 0; i <= 8; ++i) {
        bytes[i] = 1;
    }
    std::printf("%d\n", bytes[7]);
    std::free(bytes);
}

void shift() {
    volatile int bits = 32;
    std::printf("%d\n", 1 << bits);
}

void leak() {
    void *volatile lost = std::malloc(8);
    lost = nullptr;
    std::printf("%d\n", lost == nullptr);
}

}  // namespace

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    if (std::strcmp(argv[1], "race") == 0) race();
    if (std::strcmp(argv[1], "overflow") == 0) overflow();
    if (std::strcmp(argv[1], "shift") == 0) shift();
    if (std::strcmp(argv[1], "leak") == 0) leak();
    return 0;
}
