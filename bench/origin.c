// What stands behind the proxies of the benchmark; not measured. Usage: origin PORT   (on 127.0.0.1)
//   GET /N          a body of N bytes, all "x"        GET /cache/N[/...]   the same, to be kept for an hour
//   GET /ws         a WebSocket that sends each frame of less than 126 bytes back
// One request at a time on a connection, without a body.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kBody = 1 << 20, kBuffer = 4096, kEvents = 256 };

struct Peer {
  int fd, is_socket;  // is_socket: a WebSocket by now
  size_t have;        // bytes in `in`
  size_t head_left, body_left, head_size;
  char in[kBuffer], head[512];
};

static int poller;
static char* body;

static void drop(struct Peer* peer) {
  close(peer->fd);
  free(peer);
}

static void watch(struct Peer* peer, int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.ptr = peer};
  epoll_ctl(poller, operation, peer->fd, &event);
}

// 1: all is sent; 0: more can be sent later; -1: broken.
static int flush(struct Peer* peer) {
  while (peer->head_left + peer->body_left > 0) {
    struct iovec parts[2] = {{peer->head + peer->head_size - peer->head_left, peer->head_left},
                             {body, peer->body_left}};
    const ssize_t count = writev(peer->fd, parts, 2);
    if (count < 0) return errno == EAGAIN ? 0 : -1;
    const size_t of_head = (size_t)count < peer->head_left ? (size_t)count : peer->head_left;
    peer->head_left -= of_head;
    peer->body_left -= (size_t)count - of_head;
  }
  return 1;
}

static void accept_socket(struct Peer* peer, const char* request) {
  char key[128] = "", text[192];
  const char* field = strcasestr(request, "\r\nsec-websocket-key:");
  if (field) sscanf(field + 20, " %100[^\r]", key);
  snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  unsigned char digest[EVP_MAX_MD_SIZE], encoded[64];
  unsigned size = 0;
  EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
  EVP_EncodeBlock(encoded, digest, (int)size);
  peer->head_size = (size_t)snprintf(peer->head, sizeof peer->head,
                                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                     "Sec-WebSocket-Accept: %s\r\n\r\n",
                                     encoded);
  peer->is_socket = 1;
}

static void answer(struct Peer* peer, const char* request) {
  const char* path = strchr(request, '/');
  const int cached = path && strncmp(path, "/cache/", 7) == 0;
  peer->body_left = 0;
  if (path && strncmp(path, "/ws ", 4) == 0) {
    accept_socket(peer, request);
  } else {
    const long size = path ? atol(path + (cached ? 7 : 1)) : 0;
    peer->body_left = size < 0 || size > kBody ? 0 : (size_t)size;
    static time_t when;
    static char date[64];
    if (time(NULL) != when) {
      when = time(NULL);
      strftime(date, sizeof date, "%a, %d %b %Y %T GMT", gmtime(&when));
    }
    peer->head_size = (size_t)snprintf(peer->head, sizeof peer->head,
                                       "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: %s\r\n"
                                       "Content-Type: text/plain\r\nContent-Length: %zu\r\n%s\r\n",
                                       date, peer->body_left, cached ? "Cache-Control: public, max-age=3600\r\n" : "");
  }
  peer->head_left = peer->head_size;
}

// Sends back the frames that are whole; -1: broken or not understood.
static int echo(struct Peer* peer) {
  size_t at = 0, made = 0;
  unsigned char* in = (unsigned char*)peer->in;
  while (peer->have - at >= 6) {
    const size_t size = in[at + 1] & 0x7f;
    if (size > 125 || !(in[at + 1] & 0x80)) return -1;
    if (peer->have - at < 6 + size) break;
    const unsigned char kind = in[at], mask[4] = {in[at + 2], in[at + 3], in[at + 4], in[at + 5]};
    // Written over what was read: a frame without a mask is the shorter one.
    in[made] = kind;
    in[made + 1] = (unsigned char)size;
    for (size_t i = 0; i < size; ++i) in[made + 2 + i] = in[at + 6 + i] ^ mask[i % 4];
    made += 2 + size;
    at += 6 + size;
    if ((kind & 0x0f) == 8) break;
  }
  // Answers of a few bytes always fit into the socket's buffer here.
  if (made && send(peer->fd, in, made, MSG_NOSIGNAL) != (ssize_t)made) return -1;
  memmove(in, in + at, peer->have - at);
  peer->have -= at;
  return 0;
}

static int receive(struct Peer* peer) {
  const ssize_t count = recv(peer->fd, peer->in + peer->have, kBuffer - 1 - peer->have, 0);
  if (count < 0 && errno == EAGAIN) return 0;
  if (count <= 0) return -1;
  peer->have += (size_t)count;
  if (peer->is_socket) return echo(peer);
  peer->in[peer->have] = 0;
  if (!strstr(peer->in, "\r\n\r\n")) return peer->have == kBuffer - 1 ? -1 : 0;
  answer(peer, peer->in);
  peer->have = 0;
  const int sent = flush(peer);
  if (sent == 0) watch(peer, EPOLL_CTL_MOD, EPOLLOUT);
  return sent < 0 ? -1 : 0;
}

static void accept_all(int listener) {
  int fd, on = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct Peer* peer = calloc(1, sizeof *peer);
    if (!peer) exit(1);
    peer->fd = fd;
    watch(peer, EPOLL_CTL_ADD, EPOLLIN);
  }
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  signal(SIGPIPE, SIG_IGN);
  body = malloc(kBody);
  if (!body) return 1;
  memset(body, 'x', kBody);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  here.sin_port = htons((unsigned short)atoi(argv[1]));
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void*)&here, sizeof here) != 0 || listen(listener, 4096) != 0) {
    perror("origin: listen");
    return 1;
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[kEvents];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    const int count = epoll_wait(poller, events, kEvents, -1);
    for (int i = 0; i < count; ++i) {
      struct Peer* peer = events[i].data.ptr;
      if (!peer) {
        accept_all(listener);
        continue;
      }
      int state = 0;
      if (events[i].events & (EPOLLERR | EPOLLHUP)) state = -1;
      if (state == 0 && (events[i].events & EPOLLOUT)) {
        state = flush(peer);
        if (state == 1) {
          watch(peer, EPOLL_CTL_MOD, EPOLLIN);
          state = 0;
        }
      } else if (state == 0) {
        state = receive(peer);
      }
      if (state < 0) drop(peer);
    }
  }
}
