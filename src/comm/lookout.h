// SPDX-License-Identifier: Apache-2.0
// Looks after what goes on without any thread of the host's, such as calls that are queued on a device: one thread a
// process, which sleeps while there is nothing to look after.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "src/base/result.h"

namespace atl {

class Lookout {
 public:
  /// One thing that is looked after.
  class Post {
   public:
    ~Post();  ///< its look() is not under way any more when this returns
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    /// From now on there is something to look at. From any thread; a load where that is known already.
    void begin() {
      if (!watched_.load()) beginWatched();
    }

   private:
    friend class Lookout;
    Post(Lookout& lookout, std::function<bool()> look) : lookout_(lookout), look_(std::move(look)) {}
    void beginWatched();

    Lookout& lookout_;
    std::function<bool()> look_;
    std::atomic<bool> watched_{false};
  };

  /// `look` is called on the lookout's thread from a begin() on, a hundred times a second, until it returns false: then
  /// not before the next begin(). What happened before a begin(), the look() that follows it sees. It must not destroy
  /// a Post. An error where the thread cannot be started.
  static Result<std::unique_ptr<Post>> post(std::function<bool()> look);

  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

 private:
  Lookout() = default;
  ~Lookout() = default;
  static Result<Lookout*> instance();
  Status start();
  void stop();
  void run();
  void look(Post& post, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] bool anyWatched() const;

  int process_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable looked_;
  std::vector<Post*> posts_;
  Post* present_ = nullptr;  ///< whose look() is under way
  bool stopping_ = false;
};

}  // namespace atl
