#include "shared_pool.h"

#include <algorithm>

namespace sepconv::testing {

SharedPool::SharedPool(int num_threads) {
    for (int i = 0; i < num_threads; ++i) {
        threads_.emplace_back([this] { serve(); });
    }
}

SharedPool::~SharedPool() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
    }
    tickets_there_.notify_all();
    for (std::thread &thread : threads_) {
        thread.join();
    }
}

void SharedPool::work(Loop *loop, int worker) {
    for (int i = loop->next++; i < loop->count; i = loop->next++) {
        const int result = loop->body(loop->body_data, i, worker);
        int expected = 0;
        if (result != 0) {
            loop->result.compare_exchange_strong(expected, result);
        }
    }
}

void SharedPool::serve() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
        tickets_there_.wait(lock, [this] { return stopping_ || !tickets_.empty(); });
        if (stopping_) {
            return;
        }
        const Ticket ticket = tickets_.front();
        tickets_.pop_front();
        lock.unlock();
        work(ticket.loop, ticket.worker);
        lock.lock();
        --ticket.loop->helpers;
        helper_left_.notify_all();
    }
}

int SharedPool::run(sepconv_task_t body, void *body_data, int count, int share) {
    Loop loop;
    loop.body = body;
    loop.body_data = body_data;
    loop.count = count;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        loop.helpers = std::min(share, count) - 1;
        for (int worker = 1; worker <= loop.helpers; ++worker) {
            tickets_.push_back({&loop, worker});
        }
    }
    tickets_there_.notify_all();
    work(&loop, 0);
    std::unique_lock<std::mutex> lock(mutex_);
    // Tickets that nobody has taken yet are worth nothing any more.
    const auto is_ours = [&loop](const Ticket &ticket) { return ticket.loop == &loop; };
    const auto last = std::remove_if(tickets_.begin(), tickets_.end(), is_ours);
    loop.helpers -= static_cast<int>(tickets_.end() - last);
    tickets_.erase(last, tickets_.end());
    helper_left_.wait(lock, [&loop] { return loop.helpers == 0; });
    return loop.result;
}

sepconv_options_t PoolShare::options() const {
    sepconv_options_t options = {};
    options.num_threads = num_threads;
    options.parallel_for = [](void *data, sepconv_task_t body, void *body_data, int count) {
        const auto *share = static_cast<const PoolShare *>(data);
        return share->pool->run(body, body_data, count, share->num_threads);
    };
    options.parallel_for_data = const_cast<PoolShare *>(this);
    return options;
}

}  // namespace sepconv::testing
