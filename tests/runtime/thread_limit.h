#ifndef SEPCONV_TESTS_RUNTIME_THREAD_LIMIT_H_
#define SEPCONV_TESTS_RUNTIME_THREAD_LIMIT_H_

namespace sepconv {

/// Lets so many more threads start and refuses the rest, as a system without room for them does;
/// negative: refuses none. In programs whose pthread_create allocation_test.cpp wraps.
void limit_threads(int count);

}  // namespace sepconv

#endif  // SEPCONV_TESTS_RUNTIME_THREAD_LIMIT_H_
