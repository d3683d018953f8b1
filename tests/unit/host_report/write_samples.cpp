// report_samples DIRECTORY: every sample in every format, as SAMPLE.EXTENSION.
#include <filesystem>
#include <fstream>

#include "report/formats.hpp"
#include "samples.hpp"

int main(int count, char** arguments) {
    if (count != 2) return 2;
    const std::filesystem::path folder = arguments[1];
    auto samples = p2pdiag::report::all_samples();
    samples.emplace_back("recorded", p2pdiag::report::recorded());
    for (const auto& [name, report] : samples) {
        for (const p2pdiag::report::Format& format : p2pdiag::report::formats()) {
            std::ofstream file(folder / (name + std::string(format.extension)), std::ios::binary);
            file << format.render(report, {});
            if (!file.flush()) return 1;
        }
    }
    return 0;
}
