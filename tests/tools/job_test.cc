// SPDX-License-Identifier: Apache-2.0
#include "tools/atoll/launch/job.h"

#include <gtest/gtest.h>

namespace atl::launch {
namespace {

HostJob someJob() {
  HostJob job;
  job.command = {"./program", "--name", "\xff\xfe not UTF-8"};
  job.directory = "/somewhere";
  job.environment = {"A=1", "B="};
  job.first = 2;
  job.count = 3;
  job.ranks = 8;
  job.graceSeconds = 1.5;
  return job;
}

TEST(HostJob, ComesBackTheSame_WhateverTheBytesOfItsArguments) {
  const HostJob job = someJob();
  const auto back = decodeHostJob(encode(job));
  ASSERT_TRUE(back.ok()) << back.error().text;
  EXPECT_EQ(back->command, job.command);
  EXPECT_EQ(back->directory, job.directory);
  EXPECT_EQ(back->environment, job.environment);
  EXPECT_EQ(back->first, 2);
  EXPECT_EQ(back->count, 3);
  EXPECT_EQ(back->ranks, 8);
  EXPECT_EQ(back->graceSeconds, 1.5);
}

TEST(HostJob, WhatIsNoJob_IsRefused) {
  EXPECT_FALSE(decodeHostJob("").ok());
  EXPECT_FALSE(decodeHostJob("nonsense").ok());
  const std::string good = encode(someJob());
  EXPECT_FALSE(decodeHostJob(std::string_view(good).substr(0, good.size() - 3)).ok());
  HostJob outside = someJob();
  outside.first = 6;
  EXPECT_FALSE(decodeHostJob(encode(outside)).ok()) << "ranks 6 to 8 of 8";
  HostJob empty = someJob();
  empty.command.clear();
  EXPECT_FALSE(decodeHostJob(encode(empty)).ok());
}

}  // namespace
}  // namespace atl::launch
