#include "engine/access.h"

#include "base/text.h"

namespace berth::engine {
namespace {

Result<std::string> read_pem(const std::string& path, const ReadFile& read) {
  auto text = read(path);
  if (!text) return fail(Code::invalid, "TLS for the engine: " + text.error().message);
  return text;
}

// DOCKER_CERT_PATH: all three are there, as docker wants it.
Result<TlsTexts> read_folder(const std::string& folder, const ReadFile& read) {
  return TlsTexts{.ca = TRY(read_pem(folder + "/ca.pem", read)),
                  .certificate = TRY(read_pem(folder + "/cert.pem", read)),
                  .key = TRY(read_pem(folder + "/key.pem", read))};
}

// A context holds those that were given when it was made.
std::optional<TlsTexts> read_context(const std::string& folder, const ReadFile& read) {
  auto ca = read(folder + "/ca.pem");
  if (!ca) return {};
  return TlsTexts{.ca = std::move(*ca),
                  .certificate = read(folder + "/cert.pem").value_or(std::string()),
                  .key = read(folder + "/key.pem").value_or(std::string())};
}

// A path as ssh's options take it: quoted, and no token of theirs.
std::string option_path(std::string_view path) {
  std::string out = "\"";
  for (const char c : path) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (c == '%') out += '%';
  }
  return out + "\"";
}

std::vector<std::string> ssh_options(const SshFiles& files) {
  std::vector<std::string> out{files.program};
  const auto set = [&](std::string option) {
    out.emplace_back("-o");
    out.push_back(std::move(option));
  };
  for (const char* option : {"BatchMode=yes", "StrictHostKeyChecking=yes", "ForwardAgent=no", "ForwardX11=no",
                             "ClearAllForwardings=yes", "PermitLocalCommand=no", "RequestTTY=no", "ConnectTimeout=10",
                             "ServerAliveInterval=15", "ServerAliveCountMax=3", "ControlPersist=no"})
    set(option);
  if (!files.pinned) return out;
  out.insert(out.end(), {"-F", "none"});
  set("UserKnownHostsFile=" + option_path(files.pinned->known_hosts));
  for (const char* option : {"GlobalKnownHostsFile=none", "UpdateHostKeys=no", "CheckHostIP=no", "IdentityAgent=none",
                             "IdentitiesOnly=yes", "PreferredAuthentications=publickey"})
    set(option);
  set("HostKeyAlias=" + files.pinned->alias);
  if (!files.pinned->identity.empty()) set("IdentityFile=" + option_path(files.pinned->identity));
  return out;
}

void add_host(std::vector<std::string>& arguments, const Address& address) {
  if (address.port != 22) arguments.insert(arguments.end(), {"-p", std::to_string(address.port)});
  if (!address.user.empty()) arguments.insert(arguments.end(), {"-l", address.user});
  arguments.insert(arguments.end(), {"--", address.host});
}

// The last line that is not a notice of ssh's, without a carriage return.
std::string last_line(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Cut parts = cut(text, '\n');
    std::string_view line = trim(parts.before);
    text = parts.after;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("Connection to ") && !line.starts_with("Warning: ")) out = line;
  }
  return out.substr(0, 300);
}

struct Known {
  std::string_view sign;
  Code code;
  std::string_view meaning;
};
constexpr Known kKnown[] = {
    {"REMOTE HOST IDENTIFICATION HAS CHANGED", Code::denied,
     "the host shows another key than the one that was pinned: somebody may listen in. If the host was set up anew, "
     "remove the old key (berth server remove, or ssh-keygen -R) and add it again"},
    {"Host key verification failed", Code::denied,
     "the host's key is not known here; log in once with ssh, or use berth server add, which shows its fingerprint"},
    {"host key is known", Code::denied,
     "the host's key is not known here; log in once with ssh, or use berth server add, which shows its fingerprint"},
    {"UNPROTECTED PRIVATE KEY FILE", Code::denied, "ssh does not use a key file that others may read; chmod 600 it"},
    {"Permission denied (", Code::denied,
     "the host takes none of our keys; put the public key into ~/.ssh/authorized_keys there"},
    {"docker: command not found", Code::unavailable, "there is no docker command there: install docker's CLI"},
    {"docker: not found", Code::unavailable, "there is no docker command there: install docker's CLI"},
};

}  // namespace

Result<Endpoint> choose_endpoint(const EndpointChoice& choice, const ReadFile& read) {
  auto chosen = TRY(choose_address(choice.address));
  Endpoint out;
  if (!chosen.context.empty()) {
    const std::string path = choice.docker_folder + "/" + context_meta_path(chosen.context);
    const auto meta = read(path);
    if (!meta)
      return fail(Code::not_found,
                  "there is no docker context \"" + chosen.context + "\" (" + path + "); docker context ls lists them");
    chosen.address = TRY(parse_context_meta(chosen.context, *meta));
  }
  out.address = TRY(parse_address(chosen.address));
  if (out.address.kind == Address::Kind::tcp) {
    const std::string& folder = choice.cert_path.empty() ? choice.docker_folder : choice.cert_path;
    if (!chosen.context.empty())
      out.access.tls = read_context(choice.docker_folder + "/" + context_tls_path(chosen.context), read);
    else if (choice.tls_verify)
      out.access.tls = TRY(read_folder(folder, read));
  }
  TRY(check_reachable(out.address, out.access.tls.has_value()));
  return out;
}

std::vector<std::string> ssh_login(const Address& address, const SshFiles& files, const std::string& control) {
  auto out = ssh_options(files);
  out.insert(out.end(), {"-M", "-N", "-S", control});
  add_host(out, address);
  return out;
}

std::vector<std::string> ssh_connection(const Address& address, const SshFiles& files, const std::string& control) {
  auto out = ssh_options(files);
  out.insert(out.end(), {"-o", "ControlMaster=no", "-S", control.empty() ? "none" : control});
  add_host(out, address);
  out.insert(out.end(), {"docker", "system", "dial-stdio"});
  return out;
}

Error explain_ssh(const Address& address, std::string_view errors) {
  for (const Known& each : kKnown)
    if (errors.contains(each.sign)) return {each.code, address.text() + ": " + std::string(each.meaning)};
  const std::string line = last_line(errors);
  return {Code::unavailable, address.text() + ": " + (line.empty() ? "ssh ended without a reason" : line)};
}

}  // namespace berth::engine
