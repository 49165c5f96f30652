// Sends small messages to a server of the protocol over some connections, one in flight on each, and checks every
// answer; or opens connections and leaves them idle until its standard input ends.
// usage: pingpong PORT CONNECTIONS MESSAGES PAYLOAD_BYTES     MESSAGES 0: open, say "open", and wait
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int connect_and_greet(int port) {
    int on = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    char greeting;
    if (descriptor < 0) fail("socket");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) fail("connect");
    if (recv(descriptor, &greeting, 1, 0) != 1 || greeting != '*') fail("greeting");
    return descriptor;
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: pingpong PORT CONNECTIONS MESSAGES PAYLOAD_BYTES\n"), 2;
    int port = atoi(argv[1]), connections = atoi(argv[2]), payload = atoi(argv[4]);
    long messages = atol(argv[3]), sent = 0, done = 0;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    char *message = malloc(payload + 2), *expected = malloc(payload), *answer = malloc(payload);
    int *received = calloc(connections, sizeof *received);
    struct pollfd *entries = calloc(connections, sizeof *entries);
    message[0] = '^';
    message[payload + 1] = '$';
    for (int i = 0; i < payload; i++) expected[i] = (message[1 + i] = 'a' + i % 26) + 1;
    for (int i = 0; i < connections; i++) entries[i] = (struct pollfd){.fd = connect_and_greet(port), .events = POLLIN};
    if (messages == 0) {
        puts("open");
        fflush(stdout);
        while (getchar() != EOF) {}
        return 0;
    }
    for (int i = 0; i < connections && sent < messages; i++, sent++)
        if (send(entries[i].fd, message, payload + 2, 0) != payload + 2) fail("send");
    while (done < messages) {
        if (poll(entries, connections, 10000) <= 0) fail("poll");
        for (int i = 0; i < connections; i++) {
            if (!(entries[i].revents & POLLIN)) continue;
            ssize_t count = recv(entries[i].fd, answer, payload - received[i], 0);
            if (count <= 0 || memcmp(answer, expected + received[i], count)) fail("answer");
            if ((received[i] += count) < payload) continue;
            received[i] = 0;
            done++;
            if (sent < messages && ++sent && send(entries[i].fd, message, payload + 2, 0) != payload + 2) fail("send");
        }
    }
    return 0;
}
