// Loads a proxy and looks at every answer. Usage: load MODE [FLAG VALUE...], everything to 127.0.0.1
//   kept    connections that ask again and again          close   new connections of one request each, `-c` of them
//   ws      WebSockets with messages of 64 bytes          idle    connections that have asked once and then do nothing
// -p PORT  -c COUNT of connections  -a AT-ONCE, how many are being opened  -u PATH  -b BYTES of the body
// -n HOSTS: ask host-1 to host-HOSTS in turn, not one host  -t 1: over TLS, each connection with a whole handshake: no
// session is offered, and none may be resumed.
// All but `close` print "ready" when all connections stand; then a line on standard input begins, and another one ends
// it. At the end "done NUMBER" with the number of requests or messages whose answer was right. The exit status is 1,
// with a reason, as soon as one answer is wrong.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "bench.test"
enum { kEvents = 256, kHead = 2048, kRead = 1 << 16, kMessage = 64, kWait = 20000 };
enum State { kConnecting, kShaking, kReading, kStanding };

struct Client {
  int fd;
  enum State state;
  SSL* ssl;
  size_t have, body_left;  // of the head, or of messages; of the body of a reply whose head is complete
  char in[kHead];
};

static enum { kKept, kClose, kIdle, kSockets } mode;
static long port, wanted, at_once = 64, body_size = 100, hosts, encrypted;
static const char* path = "/100";
static SSL_CTX* tls;
static int poller;
static struct Client** all;
static long begun, standing, done;
static int running;  // the next request or message follows an answer

static void die(const char* what, const struct Client* client) {
  fprintf(stderr, "load: %s (errno: %s)\n", what, strerror(errno));
  if (client && client->have) fprintf(stderr, "load: got: %.300s\n", client->in);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static void put(struct Client* client, const void* data, size_t size) {
  const long count = client->ssl ? SSL_write(client->ssl, data, (int)size) : send(client->fd, data, size, MSG_NOSIGNAL);
  if (count != (long)size) die("sending", client);
}

// Bytes, 0 at the end, -1 when there is nothing yet.
static long get(struct Client* client, char* into, size_t room) {
  if (!client->ssl) {
    const ssize_t count = recv(client->fd, into, room, 0);
    if (count < 0 && errno != EAGAIN) die("recv", client);
    return count;
  }
  const int count = SSL_read(client->ssl, into, (int)room);
  if (count > 0) return count;
  const int why = SSL_get_error(client->ssl, count);
  if (why == SSL_ERROR_WANT_READ) return -1;
  if (why == SSL_ERROR_ZERO_RETURN) return 0;
  die("SSL_read", client);
  return 0;
}

static void send_request(struct Client* client) {
  static const char* const fields[] = {"", "Connection: close\r\n", "",
                                       ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")};
  static char text[512];
  static int size;
  static long turn;
  if (hosts) {
    size = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: host-%ld.%s\r\n\r\n", path, turn++ % hosts + 1, HOST);
  } else if (size == 0) {
    size = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, HOST, fields[mode]);
  }
  put(client, text, (size_t)size);
}

static void send_message(struct Client* client) {
  unsigned char frame[6 + kMessage] = {0x82, 0x80 | kMessage, 1, 2, 3, 4};
  for (int i = 0; i < kMessage; ++i) frame[6 + i] = (unsigned char)('m' ^ frame[2 + i % 4]);
  put(client, frame, sizeof frame);
}

static void begin(void) {
  struct Client* client = calloc(1, sizeof *client);
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  there.sin_port = htons((unsigned short)port);
  if (!client) die("calloc", NULL);
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (client->fd < 0 || (connect(client->fd, (void*)&there, sizeof there) != 0 && errno != EINPROGRESS)) {
    die("connect", NULL);
  }
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};
  epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
  all[begun++] = client;
}

// The answer to a request has come whole; 0 when the client is no more.
static int answered(struct Client* client) {
  client->have = 0;
  if (client->state == kReading) {
    if (client->ssl && SSL_session_reused(client->ssl)) die("a session was resumed", client);
    if (begun < wanted) begin();
    if (mode == kClose) {
      ++done;
      if (client->ssl) {
        SSL_shutdown(client->ssl);
        SSL_free(client->ssl);
      }
      close(client->fd);
      free(client);
      return 0;
    }
    client->state = kStanding;
    ++standing;
    return 1;
  }
  ++done;
  if (running) send_request(client);
  return 1;
}

// Adds to the head of a reply; what comes after it is of the body.
static void take_head(struct Client* client, const char* data, size_t size) {
  if (size >= kHead - client->have) size = kHead - 1 - client->have;
  memcpy(client->in + client->have, data, size);
  client->have += size;
  client->in[client->have] = 0;
  const char* end = strstr(client->in, "\r\n\r\n");
  if (!end) {
    if (client->have == kHead - 1) die("a head that is too long", client);
    return;
  }
  const char* status = mode == kSockets ? "HTTP/1.1 101 " : "HTTP/1.1 200 ";
  if (strncmp(client->in, status, strlen(status)) != 0) die("wrong status", client);
  if (mode == kSockets) return;
  const char* length = strcasestr(client->in, "\r\ncontent-length: ");
  if (!length || length > end || atol(length + 18) != body_size) die("wrong length", client);
}

// Whether the reply is complete after these bytes.
static int is_complete(struct Client* client, const char* data, size_t size) {
  if (client->body_left == 0) {
    const size_t before = client->have;
    take_head(client, data, size);
    const char* end = strstr(client->in, "\r\n\r\n");
    if (!end || mode == kSockets) return end != NULL;
    const size_t of_head = (size_t)(end + 4 - client->in) - before;
    client->body_left = (size_t)body_size;
    data += of_head;
    size -= of_head;
  }
  if (size > client->body_left || (size && data[size - 1] != 'x')) die("wrong body", client);
  client->body_left -= size;
  return client->body_left == 0;
}

static void take_messages(struct Client* client, const char* data, size_t size) {
  if (size > kHead - client->have) die("too many messages", client);
  memcpy(client->in + client->have, data, size);
  client->have += size;
  while (client->have >= 2 + kMessage) {
    if ((unsigned char)client->in[0] != 0x82 || client->in[1] != kMessage || client->in[2] != 'm' ||
        client->in[1 + kMessage] != 'm') {
      die("a message came back changed", client);
    }
    client->have -= 2 + kMessage;
    memmove(client->in, client->in + 2 + kMessage, client->have);
    ++done;
    if (running) send_message(client);
  }
}

static void receive(struct Client* client) {
  static char data[kRead];
  for (;;) {
    const long count = get(client, data, sizeof data);
    if (count < 0) return;
    if (count == 0) die("closed too early", client);
    if (mode == kSockets && client->state == kStanding) {
      take_messages(client, data, (size_t)count);
    } else if (is_complete(client, data, (size_t)count) && !answered(client)) {
      return;
    }
    // A short read: the next bytes are another event.
    if (!client->ssl && count < (long)sizeof data) return;
  }
}

static void check_connection(struct Client* client) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    errno = error;
    die("connect", client);
  }
}

static void step(struct Client* client) {
  if (client->state == kConnecting) {
    check_connection(client);
    if (tls) {
      client->ssl = SSL_new(tls);
      SSL_set_fd(client->ssl, client->fd);
      SSL_set_tlsext_host_name(client->ssl, HOST);
      SSL_set_connect_state(client->ssl);
    } else {
      send_request(client);
    }
    client->state = tls ? kShaking : kReading;
  }
  if (client->state == kShaking) {
    const int result = SSL_do_handshake(client->ssl);
    if (result != 1) {
      const int why = SSL_get_error(client->ssl, result);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return;
      die("handshake", client);
    }
    send_request(client);
    client->state = kReading;
  }
  receive(client);
}

static void turn(void) {
  struct epoll_event events[kEvents];
  const int count = epoll_wait(poller, events, kEvents, kWait);
  if (count == 0) die("nothing came for 20 seconds", NULL);
  for (int i = 0; i < count; ++i) {
    struct Client* client = events[i].data.ptr;
    const unsigned connected = EPOLLOUT | EPOLLERR | EPOLLHUP;
    if (events[i].events & (client->state == kConnecting ? connected : ~(unsigned)EPOLLOUT)) step(client);
  }
}

static int line_waits(void) {
  struct pollfd in = {.fd = 0, .events = POLLIN};
  return poll(&in, 1, 0) > 0;
}

static void wait_for_line(void) {
  char line[16];
  if (read(0, line, sizeof line) < 0) die("standard input", NULL);
}

static int read_arguments(int argc, char** argv) {
  static const char* const modes[] = {"kept", "close", "idle", "ws"};
  int at = 0;
  while (at < 4 && (argc < 2 || strcmp(argv[1], modes[at]) != 0)) ++at;
  if (at == 4 || argc % 2 != 0) return 0;
  mode = at;
  for (int i = 2; i < argc; i += 2) {
    const char flag = argv[i][1];
    long* number = flag == 'p'   ? &port
                   : flag == 'c' ? &wanted
                   : flag == 'a' ? &at_once
                   : flag == 'b' ? &body_size
                   : flag == 'n' ? &hosts
                                 : &encrypted;
    if (flag == 'u')
      path = argv[i + 1];
    else
      *number = atol(argv[i + 1]);
  }
  return port > 0 && wanted > 0;
}

int main(int argc, char** argv) {
  if (!read_arguments(argc, argv)) return 2;
  if (mode == kSockets) path = "/ws";
  if (encrypted) {
    tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
  }
  all = calloc((size_t)wanted, sizeof(struct Client*));
  poller = epoll_create1(EPOLL_CLOEXEC);
  for (long i = 0; i < at_once && i < wanted; ++i) begin();
  if (mode == kClose) {
    while (done < wanted) turn();
  } else {
    while (standing < wanted) turn();
    printf("ready\n");
    fflush(stdout);
    wait_for_line();
  }
  if (mode == kKept || mode == kSockets) {
    running = 1;
    for (long i = 0; i < wanted; ++i) (mode == kKept ? send_request : send_message)(all[i]);
    for (int turns = 1; turns % 8 != 0 || !line_waits(); ++turns) turn();
    wait_for_line();
  }
  printf("done %ld\n", done);
  fflush(stdout);
  // The connections stand until the figures were read.
  if (mode != kClose) wait_for_line();
  return 0;
}
