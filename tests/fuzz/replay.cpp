// Takes the place of libFuzzer in an ordinary build: each file of the folders named is one input.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int count, char** arguments) {
    unsigned runs = 0;
    for (int i = 1; i < count; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(arguments[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::vector<char> text(std::istreambuf_iterator<char>(file), {});
            // Of the exact size, so that AddressSanitizer sees a read past the end.
            const std::vector<std::uint8_t> input(text.begin(), text.end());
            std::printf("%s\n", entry.path().c_str());
            LLVMFuzzerTestOneInput(input.data(), input.size());
            ++runs;
        }
    }
    std::printf("%u inputs\n", runs);
    return runs == 0 ? 1 : 0;  // a corpus that has gone missing is no success
}
