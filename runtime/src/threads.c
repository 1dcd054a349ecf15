#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#if !defined(_WIN32)
#include <unistd.h>
#endif

#include "context.h"

/* How often a thread looks for work, or for the end of the loop, before it sleeps. A pause takes 10
 * to 50 ns on x86, so this is 10 to 50 us: longer than the serial gap between the loops of
 * neighbouring kernels, shorter than anybody notices on a machine with fewer cores than threads. */
enum { kSpins = 1000 };

/* The caller, at index 0, or a thread of the pool.
 *
 * Each begins with a range of indices of its own, the same in every loop of that length, so that it
 * meets in the next kernel the rows that its cache holds. When its range is done it takes from the
 * others', the next index, not the last: neighbours share rows. The padding keeps two counters off
 * each other's cache lines; two lines, because they are fetched in pairs. */
typedef struct member_t {
    atomic_int unclaimed; /* Indices of its range that nobody has taken. */
    int index;
    pthread_t handle;
    sepconv_pool_t *pool;
    uint8_t padding[128];
} member_t;

/* `unclaimed` is the whole handshake: in each range it falls from the range's length to 0, and
 * whoever takes it from n to n - 1 owns the n-th index from the range's end. The fields of the loop
 * are read only by an owner, and are written only when all indices are done, so a thread that wakes
 * late finds nothing and touches nothing: the caller need not wait for it. */
struct sepconv_pool_t {
    sepconv_task_t body;
    void *body_data;
    int count;
    int member_count;
    int thread_count;   /* Threads that run: members 1 to thread_count. */
    int64_t process;    /* Where they run: sepconv_process_id(). */
    atomic_uint posted; /* Counts loops: what idle threads look at. */
    uint8_t padding[128];
    atomic_int done;   /* Indices whose body has returned, as far as their owners have told. */
    atomic_int result; /* The first result that is not 0. */
    atomic_int stopping;

    pthread_mutex_t mutex;       /* Guards the two below and every sleep. */
    int sleepers;                /* Threads waiting for work. */
    int caller_sleeps;           /* Whether the caller waits for the end of the loop. */
    pthread_cond_t work_arrived; /* Or stopping. */
    pthread_cond_t work_finished;

    member_t members[];
};

size_t sepconv_pool_bytes(int num_threads) {
    return sizeof(sepconv_pool_t) + (size_t)num_threads * sizeof(member_t);
}

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("pause");
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void announce_end(sepconv_pool_t *pool) {
    pthread_mutex_lock(&pool->mutex);
    if (pool->caller_sleeps) {
        pthread_cond_signal(&pool->work_finished);
    }
    pthread_mutex_unlock(&pool->mutex);
}

/* The first index of member `member`'s range; of the one behind the last, the count. Rounded up:
 * the caller, who is surely awake, has the longest. */
static int first_index(const sepconv_pool_t *pool, int member) {
    const int64_t members = pool->member_count;
    return (int)(((int64_t)pool->count * member + members - 1) / members);
}

/* Claims and runs the indices left in the range of `owner`; returns how many. Acquire at the claim
 * pairs with the release store in post(). */
static int work_through(sepconv_pool_t *pool, int owner, int worker) {
    atomic_int *counter = &pool->members[owner].unclaimed;
    int claimed = 0;
    int unclaimed = atomic_load_explicit(counter, memory_order_relaxed);
    while (unclaimed > 0) {
        if (!atomic_compare_exchange_weak_explicit(counter, &unclaimed, unclaimed - 1,
                                                   memory_order_acquire, memory_order_relaxed)) {
            continue;
        }
        const int index = first_index(pool, owner + 1) - unclaimed;
        const int result = pool->body(pool->body_data, index, worker);
        if (result != 0) {
            int expected = 0;
            atomic_compare_exchange_strong(&pool->result, &expected, result);
        }
        ++claimed;
        unclaimed = atomic_load_explicit(counter, memory_order_relaxed);
    }
    return claimed;
}

/* Runs what is left of the loop, its own range first. The release at `done` lets the caller see
 * what the body wrote; until a worker has told what it did, the loop is not over. */
static void work(sepconv_pool_t *pool, int worker) {
    const int members = pool->member_count;
    int claimed = 0;
    for (int i = 0; i < members; ++i) {
        claimed += work_through(pool, (worker + i) % members, worker);
    }
    if (claimed == 0) {
        return;
    }
    const int count = pool->count;
    const int done = atomic_fetch_add_explicit(&pool->done, claimed, memory_order_acq_rel);
    if (done + claimed == count && worker != 0) {
        announce_end(pool);
    }
}

/* Whether there is more to do for a thread that has seen `seen` loops. */
static int has_work_or_stops(sepconv_pool_t *pool, unsigned seen) {
    return atomic_load_explicit(&pool->posted, memory_order_acquire) != seen ||
           atomic_load_explicit(&pool->stopping, memory_order_relaxed);
}

/* Returns the number of loops then. */
static unsigned wait_for_work(sepconv_pool_t *pool, unsigned seen) {
    for (int i = 0; i < kSpins && !has_work_or_stops(pool, seen); ++i) {
        pause_briefly();
    }
    if (!has_work_or_stops(pool, seen)) {
        pthread_mutex_lock(&pool->mutex);
        ++pool->sleepers;
        while (!has_work_or_stops(pool, seen)) {
            pthread_cond_wait(&pool->work_arrived, &pool->mutex);
        }
        --pool->sleepers;
        pthread_mutex_unlock(&pool->mutex);
    }
    return atomic_load_explicit(&pool->posted, memory_order_acquire);
}

static void *thread_main(void *data) {
    member_t *member = (member_t *)data;
    unsigned seen = 0;
    while (!atomic_load_explicit(&member->pool->stopping, memory_order_relaxed)) {
        seen = wait_for_work(member->pool, seen);
        work(member->pool, member->index);
    }
    return NULL;
}

/* Deals the indices out and wakes who sleeps. A sleeper looks at `posted` under the mutex, and the
 * mutex is taken here after the store: it sees the store, or is counted and woken. */
static void post(sepconv_pool_t *pool) {
    for (int i = 0; i < pool->member_count; ++i) {
        atomic_store_explicit(&pool->members[i].unclaimed,
                              first_index(pool, i + 1) - first_index(pool, i),
                              memory_order_release);
    }
    atomic_fetch_add_explicit(&pool->posted, 1, memory_order_release);
    pthread_mutex_lock(&pool->mutex);
    const int others = pool->count - 1;
    const int wanted = others < pool->sleepers ? others : pool->sleepers;
    for (int i = 0; i < wanted; ++i) {
        pthread_cond_signal(&pool->work_arrived);
    }
    pthread_mutex_unlock(&pool->mutex);
}

static void wait_for_end(sepconv_pool_t *pool) {
    const int count = pool->count;
    for (int i = 0; i < kSpins; ++i) {
        if (atomic_load_explicit(&pool->done, memory_order_acquire) == count) {
            return;
        }
        pause_briefly();
    }
    pthread_mutex_lock(&pool->mutex);
    pool->caller_sleeps = 1;
    while (atomic_load_explicit(&pool->done, memory_order_acquire) != count) {
        pthread_cond_wait(&pool->work_finished, &pool->mutex);
    }
    pool->caller_sleeps = 0;
    pthread_mutex_unlock(&pool->mutex);
}

int sepconv_pool_parallel_for(void *data, sepconv_task_t body, void *body_data, int count) {
    sepconv_pool_t *pool = (sepconv_pool_t *)data;
    if (count <= 0) {
        return 0;
    }
    pool->body = body;
    pool->body_data = body_data;
    pool->count = count;
    atomic_store(&pool->done, 0);
    atomic_store(&pool->result, 0);
    post(pool);
    work(pool, 0);
    wait_for_end(pool);
    return atomic_load(&pool->result);
}

static int init_locks(sepconv_pool_t *pool) {
    if (pthread_mutex_init(&pool->mutex, NULL) != 0) {
        return 0;
    }
    if (pthread_cond_init(&pool->work_arrived, NULL) != 0) {
        pthread_mutex_destroy(&pool->mutex);
        return 0;
    }
    if (pthread_cond_init(&pool->work_finished, NULL) != 0) {
        pthread_cond_destroy(&pool->work_arrived);
        pthread_mutex_destroy(&pool->mutex);
        return 0;
    }
    return 1;
}

/* Signals of the process are the caller's business: the threads block them all, as they are when a
 * thread is started. Windows has none, and no fork either. */
#if defined(_WIN32)

int64_t sepconv_process_id(void) {
    return 0;
}

typedef int signals_t;

static int block_signals(signals_t *before) {
    *before = 0;
    return 1;
}

static void restore_signals(const signals_t *before) {
    (void)before;
}

#else

int64_t sepconv_process_id(void) {
    return getpid();
}

typedef sigset_t signals_t;

static int block_signals(signals_t *before) {
    sigset_t all;
    sigfillset(&all);
    return pthread_sigmask(SIG_SETMASK, &all, before) == 0;
}

static void restore_signals(const signals_t *before) {
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

#endif

static int start_threads(sepconv_pool_t *pool, int count) {
    signals_t before;
    if (!block_signals(&before)) {
        return 0;
    }
    int started = 1;
    for (int i = 0; i < count && started; ++i) {
        member_t *thread = &pool->members[i + 1];
        thread->pool = pool;
        thread->index = i + 1;
        started = pthread_create(&thread->handle, NULL, thread_main, thread) == 0;
        pool->thread_count += started;
    }
    restore_signals(&before);
    return started;
}

sepconv_status_t sepconv_pool_start(sepconv_pool_t *pool, int num_threads) {
    pool->member_count = num_threads;
    pool->process = sepconv_process_id();
    for (int i = 0; i < num_threads; ++i) {
        atomic_init(&pool->members[i].unclaimed, 0);
    }
    atomic_init(&pool->posted, 0);
    atomic_init(&pool->done, 0);
    atomic_init(&pool->result, 0);
    atomic_init(&pool->stopping, 0);
    if (!init_locks(pool)) {
        return SEPCONV_THREAD_ERROR;
    }
    if (!start_threads(pool, num_threads - 1)) {
        sepconv_pool_stop(pool);
        return SEPCONV_THREAD_ERROR;
    }
    return SEPCONV_OK;
}

int sepconv_pool_is_here(const sepconv_pool_t *pool) {
    return pool->process == sepconv_process_id();
}

void sepconv_pool_stop(sepconv_pool_t *pool) {
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stopping, 1);
    pthread_cond_broadcast(&pool->work_arrived);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->thread_count; ++i) {
        pthread_join(pool->members[i + 1].handle, NULL);
    }
    pthread_cond_destroy(&pool->work_finished);
    pthread_cond_destroy(&pool->work_arrived);
    pthread_mutex_destroy(&pool->mutex);
}
