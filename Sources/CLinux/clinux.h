// What Swift's Glibc module leaves out of Linux: epoll, eventfd, accept4, dup3, memmem, prctl, mallopt,
// malloc_trim, and the name service of the C library.
#ifndef CLINUX_H
#define CLINUX_H

#include <malloc.h>
#include <nss.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

// Declared by <sys/socket.h>, <unistd.h> and <string.h> for _GNU_SOURCE alone.
extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int dup3(int, int, int);
extern void *memmem(const void *, size_t, const void *, size_t);

enum {
    clinux_readable = EPOLLIN,
    clinux_no_signal = MSG_NOSIGNAL,
    clinux_writable = EPOLLOUT,
    clinux_peer_closed = EPOLLRDHUP,
    clinux_error = EPOLLERR,
    clinux_hang_up = EPOLLHUP,
};

// accept4 with the flags that Swift imports as an enumeration of another type.
static inline int clinux_accept(int listener, struct sockaddr *address, socklen_t *length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// Closes a descriptor and makes it a copy of another, in one step.
static inline int clinux_replace(int descriptor, int with, int flags) {
    return dup3(with, descriptor, flags);
}

static inline int clinux_stream_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static inline int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static inline int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

// Gives blocks of at least so many octets a mapping of their own, which ends when they are freed.
//
// glibc raises this threshold to the size of the largest block that was ever freed, up to 32 MiB,
// unless it is set.
static inline void clinux_map_blocks_from(int octets) {
    mallopt(M_MMAP_THRESHOLD, octets);
    mallopt(M_TRIM_THRESHOLD, 2 * octets);
}

// Gives free memory of all heaps back to the system.
static inline void clinux_return_free_memory(void) { malloc_trim(0); }

// Makes this process the parent of all its descendants whose own parents have ended.
static inline int clinux_adopt_orphans(void) {
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

// Lets names of hosts be found in /etc/hosts and by DNS alone, whatever /etc/nsswitch.conf says.
static inline int clinux_find_hosts_without_modules(void) {
    return __nss_configure_lookup("hosts", "files dns");
}

// Adds a descriptor, edge-triggered: an event comes when something changes, and only then.
static inline int clinux_epoll_add(int poller, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events | EPOLLET, .data = {.u64 = token}};
    return epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

// Changes what a descriptor is watched for, and looks again whether it is so already.
static inline int clinux_epoll_modify(int poller, int descriptor, uint32_t events,
                                      uint64_t token) {
    struct epoll_event event = {.events = events | EPOLLET, .data = {.u64 = token}};
    return epoll_ctl(poller, EPOLL_CTL_MOD, descriptor, &event);
}

// An event as Swift can read it: struct epoll_event is packed on some architectures.
static inline uint32_t clinux_event_flags(const struct epoll_event *events, int index) {
    return events[index].events;
}

static inline uint64_t clinux_event_token(const struct epoll_event *events, int index) {
    return events[index].data.u64;
}

#endif
