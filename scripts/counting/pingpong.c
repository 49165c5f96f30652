// A client of the increment protocol whose work is the same in every run, for counting what a server does.
// usage: pingpong messages PORT CONNECTIONS MESSAGES PAYLOAD_BYTES   one message in flight on each connection
//        pingpong visits PORT VISITS PAYLOAD_BYTES                   connect, one message, close; one after the other
//        pingpong idle PORT CONNECTIONS                              connect, print "open", wait for the end of stdin
// Every reply is checked.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static int port, payload;
static char *message, *expected, *reply;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int connect_and_greet(void) {
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

static void prepare_message(int bytes) {
    payload = bytes;
    message = malloc(payload + 2), expected = malloc(payload), reply = malloc(payload);
    message[0] = '^';
    message[payload + 1] = '$';
    for (int i = 0; i < payload; i++) expected[i] = (message[1 + i] = 'a' + i % 26) + 1;
}

static void send_message(int descriptor) {
    if (send(descriptor, message, payload + 2, 0) != payload + 2) fail("send");
}

// Receives at most the rest of a reply of which `received` bytes have arrived, and returns the new number of bytes.
static int receive_reply(int descriptor, int received) {
    ssize_t count = recv(descriptor, reply, payload - received, 0);
    if (count <= 0 || memcmp(reply, expected + received, count)) fail("reply");
    return received + count;
}

static void exchange(int connections, long messages) {
    long sent = 0, done = 0;
    int *received = calloc(connections, sizeof *received);
    struct pollfd *entries = calloc(connections, sizeof *entries);
    for (int i = 0; i < connections; i++) entries[i] = (struct pollfd){.fd = connect_and_greet(), .events = POLLIN};
    for (int i = 0; i < connections && sent < messages; i++, sent++) send_message(entries[i].fd);
    while (done < messages) {
        if (poll(entries, connections, 60000) <= 0) fail("poll");
        for (int i = 0; i < connections; i++) {
            if (!(entries[i].revents & POLLIN)) continue;
            received[i] = receive_reply(entries[i].fd, received[i]);
            if (received[i] < payload) continue;
            received[i] = 0;
            done++;
            if (sent < messages && ++sent) send_message(entries[i].fd);
        }
    }
}

// Waits for the server to close too, so that one visit is over before the next begins.
static void visit(void) {
    int descriptor = connect_and_greet(), received = 0;
    char byte;
    send_message(descriptor);
    while (received < payload) received = receive_reply(descriptor, received);
    shutdown(descriptor, SHUT_WR);
    if (recv(descriptor, &byte, 1, 0) != 0) fail("end of stream");
    close(descriptor);
}

static void stay_idle(int connections) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int i = 0; i < connections; i++) connect_and_greet();
    puts("open");
    fflush(stdout);
    while (getchar() != EOF) {}
}

int main(int argc, char **argv) {
    const char *command = argc > 3 ? argv[1] : "";
    if (argc > 3) port = atoi(argv[2]);
    if (argc == 6 && !strcmp(command, "messages")) {
        prepare_message(atoi(argv[5]));
        exchange(atoi(argv[3]), atol(argv[4]));
    } else if (argc == 5 && !strcmp(command, "visits")) {
        prepare_message(atoi(argv[4]));
        for (long i = 0; i < atol(argv[3]); i++) visit();
    } else if (argc == 4 && !strcmp(command, "idle")) {
        stay_idle(atoi(argv[3]));
    } else {
        fprintf(stderr, "usage: see the head of scripts/counting/pingpong.c\n");
        return 64;
    }
    return 0;
}
