// Makes Synchronization.Mutex known to the thread sanitizer; scripts/test preloads it.
//
// On Linux a Mutex that is free is taken by an atomic instruction in the caller's own code, which
// the sanitizer sees. One that is taken already is waited for by three functions of
// libswiftSynchronization, which is built without the sanitizer: whatever the mutex protects then
// looks like a race. These functions stand in front of the library's own, which they call, and tell
// the sanitizer what it missed. They change nothing else, so that a real race is reported as ever.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK_SLOW "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *self

// Absent from programs without the sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

typedef SWIFT void (*LockSlow)(uint32_t, SELF);
typedef SWIFT bool (*TryLockSlow)(SELF);
typedef SWIFT void (*UnlockSlow)(SELF);

static LockSlow next_lock;
static TryLockSlow next_try_lock;
static UnlockSlow next_unlock;

__attribute__((constructor)) static void find(void) {
    next_lock = (LockSlow)dlsym(RTLD_NEXT, LOCK_SLOW);
    next_try_lock = (TryLockSlow)dlsym(RTLD_NEXT, TRY_LOCK_SLOW);
    next_unlock = (UnlockSlow)dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

SWIFT void lock_slow(uint32_t thread, SELF) __asm__(LOCK_SLOW);
SWIFT bool try_lock_slow(SELF) __asm__(TRY_LOCK_SLOW);
SWIFT void unlock_slow(SELF) __asm__(UNLOCK_SLOW);

SWIFT void lock_slow(uint32_t thread, SELF) {
    next_lock(thread, self);
    if (__tsan_acquire) __tsan_acquire(self);
}

SWIFT bool try_lock_slow(SELF) {
    bool is_taken = next_try_lock(self);
    if (is_taken && __tsan_acquire) __tsan_acquire(self);
    return is_taken;
}

SWIFT void unlock_slow(SELF) {
    if (__tsan_release) __tsan_release(self);
    next_unlock(self);
}
