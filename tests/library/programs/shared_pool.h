#ifndef SEPCONV_TESTS_LIBRARY_PROGRAMS_SHARED_POOL_H_
#define SEPCONV_TESTS_LIBRARY_PROGRAMS_SHARED_POOL_H_

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "sepconv/sepconv.h"

namespace sepconv::testing {

/// Threads of a program that serve the loops of many contexts at once, as a program with a pool of
/// its own would have it: the data of parallel_for is what one context may use of it.
class SharedPool {
public:
    explicit SharedPool(int num_threads);
    ~SharedPool();
    SharedPool(const SharedPool &) = delete;
    SharedPool &operator=(const SharedPool &) = delete;

    /// `share` workers at most, the caller among them. No two loops of one context run at once.
    int run(sepconv_task_t body, void *body_data, int count, int share);

private:
    struct Loop {
        sepconv_task_t body;
        void *body_data;
        int count;
        std::atomic<int> next{0};
        std::atomic<int> result{0};
        int helpers = 0;  ///< Threads that are in it or will be; under the mutex.
    };
    struct Ticket {
        Loop *loop;
        int worker;
    };

    static void work(Loop *loop, int worker);
    void serve();

    std::mutex mutex_;
    std::condition_variable tickets_there_, helper_left_;
    std::deque<Ticket> tickets_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

/// A context's part of a pool.
struct PoolShare {
    SharedPool *pool;
    int num_threads;

    sepconv_options_t options() const;
};

}  // namespace sepconv::testing

#endif  // SEPCONV_TESTS_LIBRARY_PROGRAMS_SHARED_POOL_H_
