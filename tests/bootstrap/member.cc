// SPDX-License-Identifier: Apache-2.0
// A process of a session under test. It reads commands from standard input, one a line, and answers on standard output:
//
//   open                              → id HEX
//   join ID[,ID…] RANKS RANK[,RANK…] SECONDS
//                                     → joined RANK, or error RANK TEXT, for each of its ranks; from then on also
//                                     notice lines:
//                                       notice RANK KIND ABOUT TEXT
//   at HOST:PORT SECRET host|guest    → id HEX
//   gather                            → gathered RANK, or error RANK TEXT
//   subset MODULUS                    → the ranks of equal rank mod MODULUS: subset RANK, or error RANK TEXT
//   stream tcp|local                  → every rank with the next: streamed RANK, or error RANK TEXT
//   survivors RANK[,RANK…]            → a subset of these ranks, and a gather in it
//   leave                             → left RANK
//   exit                              (also the end of the input)
//
// Commands run in one thread per rank; the next is read when all ranks are done with it.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "src/bootstrap/session.h"
#include "src/bootstrap/switchboard.h"

namespace atl {
namespace {

constexpr double kPatience = 30;

void say(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

std::string toHex(const UniqueId& id) {
  std::string text;
  for (const auto byte : id.bytes) text += fmt::format("{:02x}", byte);
  return text;
}

UniqueId fromHex(const std::string& text) {
  UniqueId id;
  for (std::size_t i = 0; i < id.bytes.size() && 2 * i + 1 < text.size(); ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(std::stoi(text.substr(2 * i, 2), nullptr, 16));
  }
  return id;
}

std::vector<std::string> splitList(const std::string& text) {
  std::vector<std::string> items;
  std::istringstream in(text);
  for (std::string item; std::getline(in, item, ',');) items.push_back(item);
  return items;
}

/// A stream to the next rank and one from the rank before, each carrying this rank's number one way.
Status streamAround(const Session& session, Rank me, Switchboard::Via via) {
  const auto& directory = session.directory();
  const Rank ranks = directory.ranks();
  const Rank next = (me + 1) % ranks;
  const Rank before = (me + ranks - 1) % ranks;
  const auto open = [&](Rank from, Rank to) {
    const StreamKey key{session.communicator(), std::min(from, to), std::max(from, to), 0,
                        static_cast<std::uint16_t>(from < to ? 0 : 1)};
    return Switchboard::instance().open(key, me, directory, via, Deadline::inSeconds(kPatience));
  };
  const auto out = open(me, next);
  const auto in = open(before, me);
  std::array<UniqueFd, 2> fds;
  std::array<PendingStream*, 2> pending = {out.get(), in.get()};
  for (std::size_t i = 0; i < 2; ++i) {
    for (;;) {
      ATOLL_ASSIGN(const bool there, pending[i]->poll());
      if (there) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    fds[i] = pending[i]->take();
  }
  if (::send(fds[0].get(), &me, sizeof me, MSG_NOSIGNAL) != sizeof me) return systemError(errno, "send");
  pollfd readable{fds[1].get(), POLLIN, 0};
  Rank got = kNoRank;
  if (::poll(&readable, 1, 20000) != 1 || ::recv(fds[1].get(), &got, sizeof got, 0) != sizeof got)
    return systemError(errno, "receive");
  if (got != before) return makeError(ErrorCode::internalError, "the stream from rank {} brought {}", before, got);
  return success();
}

Status gatherRanks(Session& session, Rank me) {
  std::array<std::byte, sizeof(Rank)> mine{};
  std::memcpy(mine.data(), &me, sizeof me);
  ATOLL_ASSIGN(const auto table, session.allGather(me, mine, Deadline::inSeconds(kPatience)));
  for (Rank rank = 0; rank < session.directory().ranks(); ++rank) {
    Rank got = kNoRank;
    std::memcpy(&got, table.data() + static_cast<std::size_t>(rank) * sizeof got, sizeof got);
    if (got != rank) return makeError(ErrorCode::internalError, "place {} holds {}", rank, got);
  }
  return success();
}

Status gatherInSubset(Session& session, Rank me, const std::vector<Rank>& members, std::uint64_t serial) {
  ATOLL_ASSIGN(const auto part, session.subset(me, members, serial, Deadline::inSeconds(kPatience)));
  const auto newRank = static_cast<Rank>(std::find(members.begin(), members.end(), me) - members.begin());
  ATOLL_TRY(gatherRanks(*part, newRank));
  part->leave(newRank);
  return success();
}

class Member {
 public:
  void run() {
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      std::string command;
      words >> command;
      if (command == "exit") return;
      obey(command, words);
    }
  }

 private:
  struct Place {
    Rank rank;
    std::shared_ptr<Session> session;
  };

  void obey(const std::string& command, std::istringstream& words) {
    if (command == "open") return sayId(openRendezvous(Settings{}));
    if (command == "at") {
      std::string hostPort;
      std::string secret;
      std::string role;
      words >> hostPort >> secret >> role;
      return sayId(rendezvousAt(hostPort, secret, role == "host", Settings{}));
    }
    if (command == "join") return join(words);
    if (command == "gather") return report("gathered", [](Place& p) { return gatherRanks(*p.session, p.rank); });
    if (command == "subset") {
      Rank modulus = 1;
      words >> modulus;
      const auto serial = ++serial_;
      return report("subset", [=](Place& p) {
        std::vector<Rank> members;
        for (Rank r = p.rank % modulus; r < p.session->directory().ranks(); r += modulus) members.push_back(r);
        return gatherInSubset(*p.session, p.rank, members, serial);
      });
    }
    if (command == "survivors") {
      std::string list;
      words >> list;
      std::vector<Rank> members;
      for (const auto& item : splitList(list)) members.push_back(std::stoi(item));
      const auto serial = ++serial_;
      return report("survives", [=](Place& p) { return gatherInSubset(*p.session, p.rank, members, serial); });
    }
    if (command == "stream") {
      std::string how;
      words >> how;
      const auto via = how == "tcp" ? Switchboard::Via::tcp : Switchboard::Via::local;
      return report("streamed", [via](Place& p) { return streamAround(*p.session, p.rank, via); });
    }
    if (command == "leave") {
      return report("left", [](Place& p) {
        p.session->leave(p.rank);
        return success();
      });
    }
    say("error -1 unknown command " + command);
  }

  void join(std::istringstream& words) {
    std::string idList;
    std::string rankList;
    Rank ranks = 0;
    double limit = 0;
    words >> idList >> ranks >> rankList >> limit;
    std::vector<UniqueId> ids;
    for (const auto& text : splitList(idList)) ids.push_back(fromHex(text));
    former_ = std::move(places_);  // a rendezvous is open for as long as a session of it is
    places_.clear();
    for (const auto& text : splitList(rankList)) places_.push_back({std::stoi(text), nullptr});
    report("joined", [&](Place& p) -> Status {
      ATOLL_ASSIGN(p.session, Session::join(ids, p.rank, ranks, Settings{}, Deadline::inSeconds(limit)));
      p.session->onNotice(p.rank, [rank = p.rank](const Notice& notice) {
        constexpr std::array kKinds = {"died", "failed", "aborted", "left"};
        say(fmt::format("notice {} {} {} {}", rank, kKinds.at(static_cast<std::size_t>(notice.kind)), notice.rank,
                        notice.text));
      });
      return success();
    });
  }

  void report(const std::string& word, const std::function<Status(Place&)>& work) {
    std::vector<std::thread> threads;
    for (auto& place : places_) {
      threads.emplace_back([&] {
        const auto status = work(place);
        say(status.ok() ? fmt::format("{} {}", word, place.rank)
                        : fmt::format("error {} {}", place.rank, status.error().text));
      });
    }
    for (auto& thread : threads) thread.join();
  }

  static void sayId(const Result<UniqueId>& id) { say(id.ok() ? "id " + toHex(*id) : "error -1 " + id.error().text); }

  std::vector<Place> places_;
  std::vector<Place> former_;
  std::uint64_t serial_ = 0;
};

}  // namespace
}  // namespace atl

int main() {
  atl::Member().run();
  return 0;
}
