#include "backup/archive_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/hash.h"
#include "io/file.h"

namespace berth::backup {
namespace {

constexpr std::size_t kPiece = 256u << 10;

Code code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Code::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::denied;
    case EEXIST:
      return Code::conflict;
    case ENOSPC:
    case EDQUOT:
      return Code::unavailable;
    default:
      return Code::internal;
  }
}

std::unexpected<Error> failed(const std::string& what, const std::string& path, int error) {
  return fail(code_of(error), what + " " + path + ": " + std::strerror(error));
}

/// SHA-256 of bytes that come in pieces.
class Sum {
 public:
  Sum() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  Sum(const Sum&) = delete;
  ~Sum() { EVP_MD_CTX_free(context_); }
  void add(std::string_view bytes) {
    EVP_DigestUpdate(context_, bytes.data(), bytes.size());
    count_ += bytes.size();
  }
  std::uint64_t count() const { return count_; }
  std::string hex() const {
    EVP_MD_CTX* copy = EVP_MD_CTX_new();
    EVP_MD_CTX_copy_ex(copy, context_);
    std::string out(32, '\0');
    EVP_DigestFinal_ex(copy, reinterpret_cast<unsigned char*>(out.data()), nullptr);
    EVP_MD_CTX_free(copy);
    return to_hex(out);
  }

 private:
  EVP_MD_CTX* context_;
  std::uint64_t count_ = 0;
};

}  // namespace

struct ArchiveWriter::State {
  std::string path{}, part{};
  io::Fd file{};
  ZSTD_CCtx* zstd = nullptr;
  std::vector<char> out = std::vector<char>(ZSTD_CStreamOutSize());
  Sum sum{};
  std::uint64_t stored = 0;
  bool done = false;
  ~State() {
    ZSTD_freeCCtx(zstd);
    if (!done && file) ::unlink(part.c_str());
  }
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::~ArchiveWriter() = default;

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::create(std::string path) {
  if (io::exists(path)) return failed("write", path, EEXIST);
  auto state = std::make_unique<State>();
  state->part = path + ".part";
  state->path = std::move(path);
  state->file = io::Fd(::open(state->part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!state->file) return failed("write", state->part, errno);
  state->zstd = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(state->zstd, ZSTD_c_checksumFlag, 1);
  return std::unique_ptr<ArchiveWriter>(new ArchiveWriter(std::move(state)));
}

Result<void> ArchiveWriter::write(std::string_view bytes) {
  state_->sum.add(bytes);
  return compress(bytes, false);
}

Result<void> ArchiveWriter::compress(std::string_view bytes, bool last) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer out{state_->out.data(), state_->out.size(), 0};
    const std::size_t left = ZSTD_compressStream2(state_->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left) != 0) return fail(Code::internal, state_->part + ": " + ZSTD_getErrorName(left));
    std::string_view rest(state_->out.data(), out.pos);
    while (!rest.empty()) {
      const ssize_t count = ::write(state_->file.get(), rest.data(), rest.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return failed("write", state_->part, errno);
      rest.remove_prefix(static_cast<std::size_t>(count));
      state_->stored += static_cast<std::uint64_t>(count);
    }
    if (last ? left == 0 : in.pos == in.size) return {};
  }
}

Result<Stream> ArchiveWriter::finish() {
  TRY(compress({}, true));
  State& state = *state_;
  if (::fsync(state.file.get()) != 0) return failed("sync", state.part, errno);
  // link(2) and not rename(2): what came under this name meanwhile is somebody's backup.
  if (::link(state.part.c_str(), state.path.c_str()) != 0) return failed("write", state.path, errno);
  state.done = true;
  ::unlink(state.part.c_str());
  const auto slash = state.path.rfind('/');
  TRY(io::sync_folder(slash == std::string::npos ? "." : state.path.substr(0, slash + 1)));
  return Stream{.bytes = state.sum.count(), .stored = state.stored, .sha256 = state.sum.hex()};
}

struct ArchiveReader::State {
  std::string path{};
  io::Fd file{};
  ZSTD_DCtx* zstd = nullptr;
  std::vector<char> in = std::vector<char>(kPiece), out = std::vector<char>(kPiece);
  ZSTD_inBuffer read{};
  std::size_t wanted = 1;  ///< by the frame; 0: it ended
  Sum sum{};
  std::uint64_t stored = 0;
  ~State() { ZSTD_freeDCtx(zstd); }
  /// False at the end of the file.
  Result<bool> fill() {
    ssize_t count = 0;
    do count = ::read(file.get(), in.data(), in.size());
    while (count < 0 && errno == EINTR);
    if (count < 0) return failed("read", path, errno);
    read = {in.data(), static_cast<std::size_t>(count), 0};
    stored += static_cast<std::uint64_t>(count);
    return count > 0;
  }
};

ArchiveReader::ArchiveReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveReader::~ArchiveReader() = default;

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = io::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!state->file) return failed("read", path, errno);
  state->zstd = ZSTD_createDCtx();
  return std::unique_ptr<ArchiveReader>(new ArchiveReader(std::move(state)));
}

Result<std::string_view> ArchiveReader::next() {
  State& state = *state_;
  ZSTD_outBuffer out{state.out.data(), state.out.size(), 0};
  while (out.pos == 0) {
    if (state.read.pos == state.read.size && !TRY(state.fill())) {
      if (state.wanted != 0) return fail(Code::invalid, state.path + " is cut off: it is not a whole backup");
      return std::string_view();
    }
    state.wanted = ZSTD_decompressStream(state.zstd, &out, &state.read);
    if (ZSTD_isError(state.wanted) != 0)
      return fail(Code::invalid, state.path + " is damaged: " + ZSTD_getErrorName(state.wanted));
  }
  const std::string_view piece(state.out.data(), out.pos);
  state.sum.add(piece);
  return piece;
}

Stream ArchiveReader::read() const {
  return {.bytes = state_->sum.count(), .stored = state_->stored, .sha256 = state_->sum.hex()};
}

}  // namespace berth::backup
