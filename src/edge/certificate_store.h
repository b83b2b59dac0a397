// Certificates as files, until `store` exists: the local roots and the leaves they signed, in a 0700 folder.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "edge/certificate.h"

namespace berth::edge {

/// The local CA on disk. The main root (root.pem) permits the reserved domains and those in its options. A host outside
/// of them is signed by a root of its own domain (root-<domain>.pem), so trusting one never covers more than it names.
///
/// Thread: one at a time. Files: root*.pem 0644, root*.key 0600, leaf-<host>.pem and .key 0600; each written as a
/// temporary file, fsynced and renamed, so that a kill at any moment leaves the old or the new one.
class CertificateStore {
 public:
  struct Options {
    std::string dir;                      ///< made when absent, mode 0700
    std::string name = "berth local CA";  ///< common name of the roots; the host's name is a good addition
    std::vector<std::string> domains{};   ///< permitted by the main root besides the reserved ones, when it is made
  };

  /// Reads or makes the main root. Code::invalid when a file is broken (it names the file and what to do),
  /// Code::denied and Code::internal from the file system.
  static Result<CertificateStore> open(Options options, std::chrono::sys_seconds now);

  /// The leaf for `host` (a name, "*.parent" or a loopback IP): from its file, or issued when there is none or when
  /// two thirds of its life are over.
  Result<Certificate> certificate(std::string_view host, std::chrono::sys_seconds now);

  /// All roots as one PEM bundle, the main one first: what clients must trust.
  std::string roots() const;
  const std::vector<Authority>& authorities() const { return authorities_; }
  /// The file of the main root, for messages.
  std::string root_path() const { return options_.dir + "/root.pem"; }

 private:
  CertificateStore() = default;
  Result<const Authority*> authority_for(std::string_view host, std::chrono::sys_seconds now);

  Options options_;
  std::vector<Authority> authorities_;
};

}  // namespace berth::edge
