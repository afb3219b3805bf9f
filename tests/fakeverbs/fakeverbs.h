// SPDX-License-Identifier: Apache-2.0
// The fake libibverbs as tests see it. The library stands in for libibverbs.so.1: it has the functions that Atoll asks
// of it under their own names, with adapters that are not there, joined by a wire that loses nothing unless it is told
// to. Reliable connections only. This header is what a test says to it besides: which adapters there are, what shall go
// wrong, and, afterwards, what went over the wire and what is still held.
//
// Processes meet on one wire when FAKEVERBS_NET has the same word in each (unset: a process is alone). All processes
// whose adapters have the same GIDs share these adapters, as the ranks of a host do; host=N below makes another host.
// What a test says of ports and faults holds in its own process. A process that was forked and runs no other program
// has no engine and cannot use the fake.
//
// It is strict where an adapter would be forgiving: queues have exactly the room that was asked for, and a slot is free
// when a completion of it, or after it, has been polled; local and remote keys differ; what a failed completion leaves
// undefined misleads; packets are taken only from the partner; objects go in the right order or not at all.
//
// A process is told by FAKEVERBS, read at the first call or by reset(): items NAME=VALUE, separated by commas.
//   devices=N ports=N    adapters [2] and ports of each [1]; the adapters are called fake_0, fake_1, …
//   host=N               which host this is, 1 to 254: part of the GIDs and LIDs [1]
//   link=roce|ib         link layer [roce]
//   gids=A+B+…           addresses of every port instead of the usual ones; for each a RoCE v1 and a v2 entry, unless
//                        ib. In an address %d becomes the adapter's number, %p the port's, %h the host's.
//   net=N                port p of adapter d belongs to network d modulo N; ports of different networks do not reach
//                        each other [1]
//   maxqp= inline= sge= maxmsg= memlock= mtu= dmabuf=0|1 relaxed=0|1     limits (struct Limits), mtu in bytes
//   ack=US rnr=US        how long a lost packet and a receiver that is not ready are waited for, microseconds
//   scatter=0|1          parts of RDMA writes arrive in any order; see Configuration [0]
//   delay=US reorder=US seed=N   completions come late, by so much and a random time more
//   down=D:P             port P of adapter D is down; several items of this and the following kinds are separated by +
//   fail=VERB:N:ERRNO    failCall
//   lose=D:P:N:COUNT     losePackets
//   losework=D:P:N       loseWork
//   failwork=D:P:N:STATUS      failWork
//   breakqp=D:P:N        breakQueuePair
//   downafter=D:P:N      downAfter
//   rnrfor=D:P:K         refuseReceives
#pragma once

#include <infiniband/verbs.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#pragma GCC visibility push(default)

namespace fakeverbs {

/// An entry of a port's table of addresses.
struct Gid {
  std::string address;  ///< IPv6, or IPv4 for the address mapped; empty: the entry is empty
  ibv_gid_type type = IBV_GID_TYPE_ROCE_V2;
  unsigned interface = 0;  ///< index of the network interface
};

/// The sixteen bytes of an address as Gid writes it; the process fails if it is none.
ibv_gid parseGid(const std::string& address);

struct PortConfiguration {
  bool up = true;
  bool ethernet = true;
  int network = 0;          ///< ports of different networks do not reach each other
  std::vector<Gid> gids;    ///< empty: link-local and IPv4 addresses, each as RoCE v1 and v2; one global for InfiniBand
  std::uint16_t lid = 0;    ///< InfiniBand only; 0: one is given
  int mtu = 4096;           ///< bytes
  std::uint8_t speed = 64;  ///< as ibv_port_attr has it: 64 is HDR
  std::uint8_t width = 2;   ///< 2 is four lanes
};

struct Limits {
  int queuePairs = 256;
  int workRequests = 8192;  ///< of a queue
  int entries = 65536;      ///< of a completion queue
  int sges = 16;
  unsigned inlineBytes = 256;
  std::uint32_t messageBytes = 1U << 30;
  std::size_t memlockBytes = SIZE_MAX;  ///< registering more memory fails with ENOMEM
  int completionVectors = 4;
  bool dmabuf = true;
  bool relaxedOrdering = true;  ///< registering memory with IBV_ACCESS_RELAXED_ORDERING fails with EOPNOTSUPP if not
};

struct DeviceConfiguration {
  std::string name;  ///< empty: fake_N
  std::vector<PortConfiguration> ports = std::vector<PortConfiguration>(1);
  Limits limits;
  std::string sysfsPath;  ///< ibdev_path; empty: where the kernel would have it
};

struct Configuration {
  std::vector<DeviceConfiguration> devices = std::vector<DeviceConfiguration>(2);
  int host = 1;
  std::chrono::microseconds ackTimeout{1000};  ///< from a loss to the next try; a queue pair tries retry_cnt + 1 times
  std::chrono::microseconds rnrTimeout{100};   ///< from "receiver not ready" to the next try
  std::chrono::microseconds completionDelay{0};
  /// Each completion comes by a random time up to this later, but never before an earlier one of the same queue.
  std::chrono::microseconds completionJitter{0};
  /// As where a network sends packets by several ways: the bytes of an RDMA write without immediate reach memory packet
  /// by packet in any order, and no sooner than they have to: at a completion that comes after it by the same queue
  /// pair.
  bool scatteredWrites = false;
  unsigned seed = 1;
  std::string faults;  ///< items of FAKEVERBS from down= on, separated by commas
};

Configuration configurationFromEnvironment();

/// Makes the process as new, with the adapters given: forgets all objects, events, faults and counts. Nothing else may
/// be calling.
void reset(Configuration configuration = configurationFromEnvironment());

// What there is. Adapters are numbered from 0, ports from 1 as in verbs.
// ---------------------------------------------------------------------------------------------------------------

/// Plugs one in. Returns its number.
int addDevice(DeviceConfiguration device);

/// Raises IBV_EVENT_GID_CHANGE.
void setGids(int device, int port, const std::vector<Gid>& gids);

/// Raises IBV_EVENT_PORT_ACTIVE or IBV_EVENT_PORT_ERR. Over a port that is down nothing arrives.
void setPort(int device, int port, bool up);

/// The adapter is gone: IBV_EVENT_DEVICE_FATAL, all queue pairs in error, and nothing can be made or posted (EIO). It
/// is listed no more; another of its name may be plugged in.
void loseDevice(int device);

// What shall go wrong. "The n-th" is counted from now on, 1 the next.
// ---------------------------------------------------------------------------------------------------------------

/// The `which`-th call of a verb fails with the error and does nothing. Inline verbs (ibv_post_send …) have their names
/// too. ibv_reg_mr with flags that are not constant is ibv_reg_mr_iova2: that is the header's doing.
void failCall(const std::string& verb, int which, int error);
/// How often a verb was called since the start or reset().
int callCount(const std::string& verb);

enum class Traffic {
  requests,  ///< what carries work: sends, writes, requests to read
  responses  ///< acknowledgements, refusals and data read
};
constexpr int kForAll = -1;

/// Of the packets that the port sends, `count` from the n-th on do not arrive, tries again included. A few are made
/// good by the next try; more of them than retries end in IBV_WC_RETRY_EXC_ERR.
void losePackets(int device, int port, int which, int count = kForAll, Traffic traffic = Traffic::requests);
/// No packet of the n-th work request sent from the port arrives.
void loseWork(int device, int port, int which);
/// The n-th work request sent from the port is not done and completes with the status; its queue pair is in error.
void failWork(int device, int port, int which, ibv_wc_status status);
/// At the n-th work request sent from the port its queue pair falls into error; IBV_EVENT_QP_FATAL.
void breakQueuePair(int device, int port, int which);
/// The port goes down when it is about to send one packet of requests more than n.
void downAfter(int device, int port, int packets);
/// The port's queue pairs answer "receiver not ready" so many times, whatever is posted.
void refuseReceives(int device, int port, int times);

/// Completions of the queue pair are kept back until releaseCompletions; those of others pass them by.
void holdCompletions(std::uint32_t qpNumber);
void releaseCompletions(std::uint32_t qpNumber);
/// All further completions come late; see Configuration.
void delayCompletions(std::chrono::microseconds delay, std::chrono::microseconds jitter);

// What went on
// ---------------------------------------------------------------------------------------------------------------

/// Things that no program may do and that an error code might hide: a completion queue overflowed, an object was used
/// after its end, an adapter was closed with objects in it, events were not acknowledged. Thread-safe.
std::vector<std::string> failures();
/// Returns and forgets them. A process that ends by exit() with failures that nobody took prints them and exits with
/// status 70.
std::vector<std::string> takeFailures();

struct Counters {
  std::uint64_t packetsSent = 0;  ///< requests and responses; lost ones count here and in packetsLost
  std::uint64_t packetsReceived = 0;
  std::uint64_t bytesSent = 0;  ///< payload
  std::uint64_t bytesReceived = 0;
  std::uint64_t packetsLost = 0;
  std::uint64_t retries = 0;                     ///< after losses
  std::uint64_t notReady = 0;                    ///< answers "receiver not ready" that were sent
  std::uint64_t inlineWorks = 0;                 ///< work requests whose data was read when they were posted
  std::uint64_t receives = 0;                    ///< receive requests posted, of queue pairs and shared queues
  std::map<ibv_wr_opcode, std::uint64_t> works;  ///< send requests posted
};
Counters counters(int device, int port);
/// The sum over all ports.
Counters counters();

/// What the process holds; all zero after a clean end.
struct LiveObjects {
  std::size_t deviceLists = 0;
  std::size_t contexts = 0;
  std::size_t protectionDomains = 0;
  std::size_t memoryRegions = 0;
  std::size_t registeredBytes = 0;
  std::size_t channels = 0;
  std::size_t completionQueues = 0;
  std::size_t sharedReceiveQueues = 0;
  std::size_t queuePairs = 0;
  std::size_t addressHandles = 0;
  friend bool operator==(const LiveObjects&, const LiveObjects&) = default;
};
LiveObjects liveObjects();

/// Memory that is registered at present.
struct Region {
  std::size_t bytes = 0;
  unsigned access = 0;  ///< as it was asked for
};
std::vector<Region> regions();

}  // namespace fakeverbs

#pragma GCC visibility pop
