// A name server on 127.0.0.1:53 of a sandbox. What it answers is in the first label of the name:
//   both     one address of each family          v4only   an IPv4 address, and none for IPv6
//   nx       no such name                        broken   a server failure
//   slow6    as "both", but no answer for IPv6   silent   no answer at all
//   refused  it does not answer this client      cut      too long for UDP, and there is no TCP
//   ipv4only an IPv4 address, and with `nat64` one made up for IPv6 (RFC 7050)
#pragma once

#include <thread>

namespace p2pdiag::testing {

struct FakeDnsOptions {
    bool nat64 = false;   // its prefix is 64:ff9b::/96
    bool silent = false;  // answers nothing
};

class FakeDnsServer {
public:
    explicit FakeDnsServer(FakeDnsOptions options = {});  // throws where the port cannot be had
    ~FakeDnsServer();
    FakeDnsServer(const FakeDnsServer&) = delete;
    FakeDnsServer& operator=(const FakeDnsServer&) = delete;

private:
    void serve();

    FakeDnsOptions options_;
    int socket_ = -1;
    std::thread thread_;
};

}  // namespace p2pdiag::testing
