#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>

#include "context.h"

/* How often a thread looks for work, or for the end of the loop, before it sleeps. A pause takes 10
 * to 50 ns on x86, so this is 10 to 50 us: longer than the serial gap between the loops of
 * neighbouring kernels, shorter than anybody notices on a machine with fewer cores than threads. */
enum { kSpins = 1000 };

typedef struct thread_t {
    pthread_t handle;
    sepconv_pool_t *pool;
    int worker;
} thread_t;

/* `unclaimed` is the whole handshake: it falls from count to 0, and whoever takes it from n to
 * n - 1 owns index count - n. The fields of the loop are read only by an owner, and are written
 * only when all indices are done, so a thread that wakes late finds nothing and touches nothing:
 * the caller need not wait for it. */
struct sepconv_pool_t {
    sepconv_task_t body;
    void *body_data;
    int count;
    uint8_t padding[64];
    atomic_int unclaimed;
    uint8_t more_padding[64];
    atomic_int done;
    atomic_int result; /* The first result that is not 0. */
    atomic_int stopping;

    pthread_mutex_t mutex;       /* Guards the two below and every sleep. */
    int sleepers;                /* Threads waiting for work. */
    int caller_sleeps;           /* Whether the caller waits for the end of the loop. */
    pthread_cond_t work_arrived; /* Or stopping. */
    pthread_cond_t work_finished;

    int thread_count;
    thread_t threads[];
};

size_t sepconv_pool_bytes(int num_threads) {
    return sizeof(sepconv_pool_t) + (size_t)(num_threads - 1) * sizeof(thread_t);
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

/* Claims and runs indices until none is left. Acquire at the claim pairs with the release store in
 * post(); the release at `done` lets the caller see what the body wrote. */
static void work(sepconv_pool_t *pool, int worker) {
    int unclaimed = atomic_load_explicit(&pool->unclaimed, memory_order_relaxed);
    while (unclaimed > 0) {
        if (!atomic_compare_exchange_weak_explicit(&pool->unclaimed, &unclaimed, unclaimed - 1,
                                                   memory_order_acquire, memory_order_relaxed)) {
            continue;
        }
        const int count = pool->count;
        const int result = pool->body(pool->body_data, count - unclaimed, worker);
        if (result != 0) {
            int expected = 0;
            atomic_compare_exchange_strong(&pool->result, &expected, result);
        }
        const int done = atomic_fetch_add_explicit(&pool->done, 1, memory_order_acq_rel) + 1;
        if (done == count && worker != 0) {
            announce_end(pool);
        }
        unclaimed = atomic_load_explicit(&pool->unclaimed, memory_order_relaxed);
    }
}

static int has_work_or_stops(sepconv_pool_t *pool) {
    return atomic_load_explicit(&pool->unclaimed, memory_order_relaxed) > 0 ||
           atomic_load_explicit(&pool->stopping, memory_order_relaxed);
}

static void wait_for_work(sepconv_pool_t *pool) {
    for (int i = 0; i < kSpins; ++i) {
        if (has_work_or_stops(pool)) {
            return;
        }
        pause_briefly();
    }
    pthread_mutex_lock(&pool->mutex);
    ++pool->sleepers;
    while (!has_work_or_stops(pool)) {
        pthread_cond_wait(&pool->work_arrived, &pool->mutex);
    }
    --pool->sleepers;
    pthread_mutex_unlock(&pool->mutex);
}

static void *thread_main(void *data) {
    thread_t *thread = (thread_t *)data;
    while (!atomic_load_explicit(&thread->pool->stopping, memory_order_relaxed)) {
        wait_for_work(thread->pool);
        work(thread->pool, thread->worker);
    }
    return NULL;
}

/* A sleeper looks at `unclaimed` under the mutex, and the mutex is taken here after the store: it
 * sees the store, or is counted and woken. */
static void post(sepconv_pool_t *pool, int count) {
    atomic_store_explicit(&pool->unclaimed, count, memory_order_release);
    pthread_mutex_lock(&pool->mutex);
    const int wanted = count - 1 < pool->sleepers ? count - 1 : pool->sleepers;
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
    post(pool, count);
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

/* Signals of the process are the caller's business: the threads block them all. */
static int start_threads(sepconv_pool_t *pool, int count) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return 0;
    }
    int started = 1;
    for (int i = 0; i < count && started; ++i) {
        thread_t *thread = &pool->threads[i];
        thread->pool = pool;
        thread->worker = i + 1;
        started = pthread_create(&thread->handle, NULL, thread_main, thread) == 0;
        pool->thread_count += started;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

sepconv_status_t sepconv_pool_start(sepconv_pool_t *pool, int num_threads) {
    atomic_init(&pool->unclaimed, 0);
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

void sepconv_pool_stop(sepconv_pool_t *pool) {
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->stopping, 1);
    pthread_cond_broadcast(&pool->work_arrived);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->thread_count; ++i) {
        pthread_join(pool->threads[i].handle, NULL);
    }
    pthread_cond_destroy(&pool->work_finished);
    pthread_cond_destroy(&pool->work_arrived);
    pthread_mutex_destroy(&pool->mutex);
}
