// Small text files that people write.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "profile/profile.hpp"

namespace p2pdiag::profile {

struct FileText {
    std::string text;
    bool readable_by_others = false;  // by the group or everybody
};

// Regular files of at most `limit` bytes; the problem's file is `path`. Never blocks on a pipe.
boost::system::result<FileText, Problem> read_file(const std::filesystem::path& path,
                                                   std::size_t limit);

}  // namespace p2pdiag::profile
