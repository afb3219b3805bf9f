// SPDX-License-Identifier: Apache-2.0
#include "src/comm/lookout.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "src/base/quiet_thread.h"

namespace atl {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(10);
/// How long the exit of the process waits for a look that is under way: it may hang in a driver.
constexpr auto kExitPatience = std::chrono::seconds(1);

}  // namespace

// Never destroyed: posts that nobody took back may still refer to it when statics go.
Result<Lookout*> Lookout::instance() {
  static std::mutex mutex;
  static Lookout* running = nullptr;
  const std::scoped_lock lock(mutex);
  if (running == nullptr) {
    auto* const lookout = new Lookout();
    if (Status started = lookout->start(); !started.ok()) {
      delete lookout;
      return std::move(started).error();
    }
    running = lookout;
    std::atexit([] { running->stop(); });
  }
  return running;
}

Status Lookout::start() {
  process_ = ::getpid();
  ATOLL_ASSIGN(std::thread thread, startQuietThread("atoll-lookout", [this] { run(); }));
  thread.detach();
  return success();
}

/// What looks refer to may go while the process exits.
void Lookout::stop() {
  if (process_ != ::getpid()) return;  // a forked child has no such thread
  std::unique_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
  looked_.wait_for(lock, kExitPatience, [&] { return present_ == nullptr; });
}

void Lookout::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    // Posts that are added or go meanwhile move others to the next round at most.
    for (std::size_t i = 0; i < posts_.size() && !stopping_; ++i) {
      if (posts_[i]->watched_.load()) look(*posts_[i], lock);
    }
    if (anyWatched()) {
      wake_.wait_for(lock, kInterval, [&] { return stopping_; });
    } else {
      wake_.wait(lock, [&] { return stopping_ || anyWatched(); });
    }
  }
}

// That there is something to see is forgotten first: a begin() that this look is too early for says it again.
void Lookout::look(Post& post, std::unique_lock<std::mutex>& lock) {
  post.watched_.store(false);
  present_ = &post;
  lock.unlock();
  const bool more = post.look_();
  lock.lock();
  if (more) post.watched_.store(true);
  present_ = nullptr;
  looked_.notify_all();
}

bool Lookout::anyWatched() const {
  return std::ranges::any_of(posts_, [](const Post* post) { return post->watched_.load(); });
}

Result<std::unique_ptr<Lookout::Post>> Lookout::post(std::function<bool()> look) {
  ATOLL_ASSIGN(Lookout* const lookout, instance());
  std::unique_ptr<Post> post(new Post(*lookout, std::move(look)));
  const std::scoped_lock lock(lookout->mutex_);
  lookout->posts_.push_back(post.get());
  return post;
}

Lookout::Post::~Post() {
  std::unique_lock lock(lookout_.mutex_);
  lookout_.posts_.erase(std::ranges::find(lookout_.posts_, this));
  lookout_.looked_.wait(lock, [this] { return lookout_.present_ != this; });
}

void Lookout::Post::beginWatched() {
  {
    const std::scoped_lock lock(lookout_.mutex_);
    watched_.store(true);
  }
  lookout_.wake_.notify_one();
}

}  // namespace atl
