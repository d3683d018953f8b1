// A small private file that is on the disk whole or not at all, also after a power cut.
#pragma once

#include <boost/system/result.hpp>
#include <filesystem>
#include <string>
#include <string_view>

namespace p2pdiag::disk {

// What went wrong, in words for the person at the keyboard.
struct Problem {
    std::string what;
};
template <class T>
using Maybe = boost::system::result<T, Problem>;

// Replaces `path` by way of `temporary`, in the same directory, and waits until the disk has both
// the content and the name. For the owner alone. What went wrong, or nothing.
std::string write_whole_file(const std::filesystem::path& path,
                             const std::filesystem::path& temporary, std::string_view content);

// Only a regular file of this user that nobody else can write to.
Maybe<std::string> read_whole_file(const std::filesystem::path& path, std::size_t most_bytes);

// Makes the directory, and those above it, for the owner alone, where they are missing. What keeps
// it from being a place that this user alone can write to, or nothing.
std::string make_private_directory(const std::filesystem::path& path);

// The same without making it.
std::string distrust_directory(const std::filesystem::path& path);

}  // namespace p2pdiag::disk
