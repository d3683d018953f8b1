#include "allow_file_write.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "base/fd.hpp"
#include "readers.hpp"

namespace p2pdiag::firewall {

namespace {

std::string error_text(const std::string& what) { return what + ": " + std::strerror(errno); }

// Beside it, so that it can take its place at once.
std::string temporary_for(const std::string& path) { return path + ".p2pdiag"; }

std::string write_temporary(const std::string& path, const struct stat& like,
                            std::string_view text) {
    // What a run before left when it was killed.
    ::unlink(path.c_str());
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open()) return error_text(path);
    const bool good = write_all(file.get(), text) &&
                      ::fchown(file.get(), like.st_uid, like.st_gid) == 0 &&
                      ::fchmod(file.get(), like.st_mode & 07777) == 0 && ::fsync(file.get()) == 0;
    return good ? std::string() : error_text(path);
}

void sync_directory(const std::string& path) {
    const std::string directory = path.substr(0, path.rfind('/') + 1);
    const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.open()) ::fsync(fd.get());
}

}  // namespace

void remove_leftover(const std::string& path) {
    const std::string temporary = temporary_for(path);
    struct stat info {};
    if (::lstat(temporary.c_str(), &info) == 0 && S_ISREG(info.st_mode))
        ::unlink(temporary.c_str());
}

std::string distrust_file(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return error_text(path);
    if (!S_ISREG(info.st_mode)) return path + " is no regular file";
    if (info.st_nlink != 1) return path + " has a second name";
    if (info.st_uid != ::geteuid()) return path + " belongs to somebody else";
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) return path + " can be written by others";
    const bool has_list = ::lgetxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) >= 0;
    return has_list ? path + " has an access list" : std::string();
}

std::string replace_file(const std::string& path, std::string_view expected, std::string_view text,
                         const std::function<std::string(const std::string&)>& check) {
    std::string trouble = distrust_file(path);
    if (!trouble.empty()) return trouble;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return error_text(path);
    const std::string temporary = temporary_for(path);
    trouble = write_temporary(temporary, info, text);
    if (trouble.empty()) trouble = check(temporary);
    if (trouble.empty()) {
        const FileText now = read_small_file(path);
        if (now.error != 0 || now.text != expected)
            trouble = path + " was changed in between: try again";
    }
    if (trouble.empty() && ::rename(temporary.c_str(), path.c_str()) != 0)
        trouble = error_text(path);
    if (!trouble.empty()) {
        ::unlink(temporary.c_str());
        return trouble;
    }
    sync_directory(path);
    return {};
}

}  // namespace p2pdiag::firewall
