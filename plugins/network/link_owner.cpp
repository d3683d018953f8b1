#include "link_owner.hpp"

#include <algorithm>

namespace p2pdiag::network_plugin {

std::string_view owner_of(std::string_view name) {
    struct Sign {
        std::string_view start;
        std::string_view owner;
    };
    static constexpr Sign signs[] = {
        {"docker", "docker"},      {"virbr", "libvirt"},      {"vnet", "libvirt"},
        {"podman", "podman"},      {"cni-podman", "podman"},  {"lxcbr", "lxc"},
        {"lxdbr", "lxd"},          {"incusbr", "incus"},      {"cni", "kubernetes"},
        {"cali", "kubernetes"},    {"flannel", "kubernetes"}, {"vmnet", "vmware"},
        {"vboxnet", "virtualbox"},
    };
    for (const Sign& sign : signs) {
        if (name.starts_with(sign.start)) return sign.owner;
    }
    // A network of Docker's: the beginning of its id.
    constexpr std::string_view start = "br-";
    const std::string_view id = name.substr(std::min(start.size(), name.size()));
    const bool is_id = id.size() == 12 && id.find_first_not_of("0123456789abcdef") == id.npos;
    return name.starts_with(start) && is_id ? "docker" : "";
}

}  // namespace p2pdiag::network_plugin
