#include "loader/trust.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <set>
#include <system_error>

namespace p2pdiag::loader {

namespace fs = std::filesystem;

namespace {

// Those who can replace this executable decide already what we run: its owner, and whoever may
// write to a folder above it (on Debian, /usr/local/bin belongs to a group). In a user namespace
// that has no number for root, root is among them as the owner of "/".
struct Trusted {
    std::set<uid_t> owners{0, ::geteuid()};
    std::set<uid_t> above;  // only of folders
    std::set<gid_t> groups{0};
};

Trusted find_trusted() {
    Trusted trusted;
    struct stat info {};
    if (::stat("/proc/self/exe", &info) == 0) trusted.owners.insert(info.st_uid);
    trusted.above = trusted.owners;
    std::error_code error;
    const fs::path self = fs::read_symlink("/proc/self/exe", error);
    for (fs::path part = self; !part.empty() && ::stat(part.c_str(), &info) == 0;
         part = part.parent_path()) {
        trusted.above.insert(info.st_uid);
        if ((info.st_mode & S_IWGRP) != 0) trusted.groups.insert(info.st_gid);
        if (part == part.parent_path()) break;
    }
    return trusted;
}

const Trusted& trusted() {
    static const Trusted found = find_trusted();
    return found;
}

struct Writer {
    std::string who;        // empty: nobody
    const char* undo = "";  // how to keep them out of a file
};

// Who else may write there. A group of one is its owner's own, any other is other people. With an
// access control list those bits are the most that anybody named in it may do.
Writer other_writer(const fs::path& path, const struct stat& info) {
    if ((info.st_mode & S_IWOTH) != 0) return {"every user of this machine", "chmod o-w"};
    if ((info.st_mode & S_IWGRP) == 0) return {};
    if (::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0) {
        return {"whoever its access control list names", "setfacl -b"};
    }
    if (info.st_gid == info.st_uid || trusted().groups.contains(info.st_gid)) return {};
    return {"the group " + std::to_string(info.st_gid), "chmod g-w"};
}

// Who can write to a folder above can put another one in this one's place; the sticky bit leaves
// that to the folder's owner.
std::string distrust_above(const fs::path& folder) {
    struct stat info {};
    if (::stat(folder.c_str(), &info) != 0) return {};
    const Writer other = other_writer(folder, info);
    if (!other.who.empty() && (info.st_mode & S_ISVTX) == 0) {
        return "refused: " + other.who + " can write to " + folder.native();
    }
    if (trusted().above.contains(info.st_uid)) return {};
    return "refused: user " + std::to_string(info.st_uid) + " owns " + folder.native();
}

}  // namespace

std::optional<std::string> distrust(const fs::path& path) {
    for (fs::path above = path.parent_path(); !above.empty(); above = above.parent_path()) {
        if (std::string why = distrust_above(above); !why.empty()) return why;
        if (above == above.parent_path()) break;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return "cannot be read";
    const Writer other = other_writer(path, info);
    if (!other.who.empty()) {
        return "refused: " + other.who + " can write to it (" + other.undo + ")";
    }
    if (trusted().owners.contains(info.st_uid)) return std::nullopt;
    return "refused: it belongs to user " + std::to_string(info.st_uid) +
           ", who is neither you nor root nor the owner of p2pdiag";
}

}  // namespace p2pdiag::loader
