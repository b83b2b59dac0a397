// Traefik's acme.json -> certificates and accounts for the store.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "edge/acme_store.h"

namespace berth::edge {

struct AcmeImport {
  struct Item {
    std::string place;  ///< "letsencrypt.Certificates[2]"
    WantedCertificate wanted;
    Certificate certificate;
  };
  struct Account {
    std::string place;
    Resolver resolver;  ///< name, directory and email
    AcmeAccount account;
  };
  std::vector<Item> certificates;
  std::vector<Account> accounts;
  std::vector<std::string> faults;  ///< "PLACE: reason" of what could not be taken, never a secret
};

struct AcmeImportOptions {
  std::string resolver{};   ///< for a file of Traefik 1, which names none
  std::string directory{};  ///< of the accounts' CA; "": told by their URLs, which Let's Encrypt's do
};

/// Both layouts: of Traefik 2 and 3 (resolver -> Account, Certificates) and of 1.7 (Account and Certificates at the
/// top). Code::invalid with line and column for what is no JSON, and for what is no such file.
Result<AcmeImport> read_acme_json(std::string_view text, const AcmeImportOptions& options = {});

}  // namespace berth::edge
