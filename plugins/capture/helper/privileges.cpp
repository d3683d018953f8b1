#include "privileges.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace p2pdiag::capture_helper {

namespace {

// capget(2): version 3 has two parts of 32 capabilities each.
struct Capabilities {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct parts[_LINUX_CAPABILITY_U32S_3]{};

    bool get() { return ::syscall(SYS_capget, &header, parts) == 0; }
    bool set() { return ::syscall(SYS_capset, &header, parts) == 0; }
};

// The user "nobody" of every Linux; the kernel's overflow id, too.
constexpr uid_t nobody = 65534;

}  // namespace

bool drop_privileges() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (::geteuid() == 0) {
        // In a user namespace there may be no other user; the capabilities go all the same.
        ::setgroups(0, nullptr);
        if (::setresgid(nobody, nobody, nobody) == 0) {
            [[maybe_unused]] const int done = ::setresuid(nobody, nobody, nobody);
        }
    }
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    Capabilities nothing;
    if (!nothing.set() || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
    Capabilities left;
    if (!left.get()) return false;
    for (const auto& part : left.parts) {
        if ((part.effective | part.permitted | part.inheritable) != 0) return false;
    }
    return true;
}

}  // namespace p2pdiag::capture_helper
