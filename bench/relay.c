// The limit for a proxy of streams: one epoll loop that moves bytes between a client and the upstream with splice(2)
// and looks at none of them. Usage: relay PORT UPSTREAM-PORT   (both on 127.0.0.1; six descriptors a connection)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { kPipe = 1 << 17, kEvents = 256 };

// One end of a connection; what is read from it goes through its pipe to `other`.
struct Side {
  int fd, pipe[2];
  size_t held;       // bytes in the pipe
  unsigned watched;  // epoll events
  int ended;         // its peer sends no more
  struct Side* other;
  struct Side* next_closed;
};

static int poller;
static struct Side* closed;  // freed after the events of a turn, of which some may still name them

static void watch(struct Side* side, unsigned events) {
  if (side->watched == events) return;
  struct epoll_event event = {.events = events, .data.ptr = side};
  epoll_ctl(poller, side->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, side->fd, &event);
  side->watched = events;
}

static void close_both(struct Side* side) {
  if (side->fd < 0) return;
  struct Side* both[2] = {side, side->other};
  for (int i = 0; i < 2; ++i) {
    close(both[i]->fd);
    close(both[i]->pipe[0]);
    close(both[i]->pipe[1]);
    both[i]->fd = -1;
    both[i]->next_closed = closed;
    closed = both[i];
  }
}

static void watch_both(struct Side* side) {
  struct Side* other = side->other;
  watch(side, (side->held || side->ended ? 0 : EPOLLIN) | (other->held ? EPOLLOUT : 0));
  watch(other, (other->held || other->ended ? 0 : EPOLLIN) | (side->held ? EPOLLOUT : 0));
}

// Moves what there is from `side` to the other one; false when the connection is over.
static int move(struct Side* side) {
  struct Side* other = side->other;
  for (;;) {
    if (side->held == 0 && !side->ended) {
      const ssize_t count = splice(side->fd, NULL, side->pipe[1], NULL, kPipe, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (count < 0) return errno == EAGAIN;
      if (count == 0) {
        side->ended = 1;
        shutdown(other->fd, SHUT_WR);
        return !other->ended;
      }
      side->held = (size_t)count;
    }
    if (side->held == 0) return 1;
    const ssize_t count = splice(side->pipe[0], NULL, other->fd, NULL, side->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (count < 0) return errno == EAGAIN;
    side->held -= (size_t)count;
    // Level-triggered: what is left to read, or to write, is another event.
    return 1;
  }
}

static struct Side* make_side(int fd) {
  struct Side* side = calloc(1, sizeof *side);
  if (!side || pipe2(side->pipe, O_NONBLOCK | O_CLOEXEC) != 0) exit(1);
  fcntl(side->pipe[0], F_SETPIPE_SZ, kPipe);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  side->fd = fd;
  return side;
}

static void accept_one(int listener, const struct sockaddr_in* upstream) {
  const int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (server < 0 || (connect(server, (const void*)upstream, sizeof *upstream) != 0 && errno != EINPROGRESS)) {
    perror("relay: connect");
    exit(1);
  }
  struct Side *a = make_side(client), *b = make_side(server);
  a->other = b;
  b->other = a;
  watch_both(a);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  signal(SIGPIPE, SIG_IGN);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, upstream = here;
  here.sin_port = htons((unsigned short)atoi(argv[1]));
  upstream.sin_port = htons((unsigned short)atoi(argv[2]));
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void*)&here, sizeof here) != 0 || listen(listener, 4096) != 0) {
    perror("relay: listen");
    return 1;
  }
  poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[kEvents];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    const int count = epoll_wait(poller, events, kEvents, -1);
    for (int i = 0; i < count; ++i) {
      struct Side* side = events[i].data.ptr;
      if (!side) {
        accept_one(listener, &upstream);
        continue;
      }
      if (side->fd < 0) continue;
      int lives = !(events[i].events & EPOLLERR);
      if (lives && (events[i].events & (EPOLLIN | EPOLLHUP))) lives = move(side);
      if (lives && (events[i].events & EPOLLOUT)) lives = move(side->other);
      if (lives)
        watch_both(side);
      else
        close_both(side);
    }
    while (closed) {
      struct Side* next = closed->next_closed;
      free(closed);
      closed = next;
    }
  }
}
