// SPDX-License-Identifier: Apache-2.0
#include "transports/inproc/meeting_place.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace atl {
namespace {

struct Attendance {
  std::shared_ptr<MeetingPlace> place;
  Rank expected = 0;
  Rank entered = 0;
  Rank left = 0;
};

struct Places {
  std::mutex mutex;
  std::unordered_map<std::uint64_t, Attendance> byCommunicator;
};

Places& allPlaces() {
  // Never destroyed: a rank's thread may still leave while the process exits.
  static auto* const places = new Places;
  return *places;
}

}  // namespace

std::shared_ptr<MeetingPlace> MeetingPlace::enter(std::uint64_t communicator, Rank ranks) {
  auto& all = allPlaces();
  const std::lock_guard lock(all.mutex);
  auto& attendance = all.byCommunicator[communicator];
  if (!attendance.place) {
    attendance.place = std::make_shared<MeetingPlace>();
    attendance.expected = ranks;
  }
  ++attendance.entered;
  return attendance.place;
}

void MeetingPlace::leave(std::uint64_t communicator) {
  auto& all = allPlaces();
  std::shared_ptr<MeetingPlace> last;  // destroyed after the lock is released
  const std::lock_guard lock(all.mutex);
  const auto found = all.byCommunicator.find(communicator);
  if (found == all.byCommunicator.end()) return;
  auto& attendance = found->second;
  ++attendance.left;
  if (attendance.left < attendance.entered || attendance.entered < attendance.expected) return;
  last = std::move(attendance.place);
  all.byCommunicator.erase(found);
}

std::size_t MeetingPlace::places() {
  auto& all = allPlaces();
  const std::lock_guard lock(all.mutex);
  return all.byCommunicator.size();
}

Result<std::shared_ptr<MailRegion>> MeetingPlace::region(Rank me, Rank peer, int lane) {
  const auto [lower, higher] = std::minmax(me, peer);
  const std::lock_guard lock(mutex_);
  const auto [entry, isNew] = waiting_.try_emplace({lower, higher, lane});
  if (isNew) {
    entry->second = {me, std::make_shared<MailRegion>()};
    return entry->second.region;
  }
  if (entry->second.firstEnd == me) {
    return makeError(ErrorCode::internalError, "rank {} asked twice for lane {} to rank {}", me, lane, peer);
  }
  auto region = std::move(entry->second.region);
  waiting_.erase(entry);
  return region;
}

}  // namespace atl
