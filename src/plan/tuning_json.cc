// SPDX-License-Identifier: Apache-2.0
// The tuning table's outside form, docs/tuning.md.
#include <algorithm>
#include <limits>

#include "src/plan/json_document.h"
#include "src/plan/json_object.h"
#include "src/plan/tuning_table.h"

namespace atl::plan {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestDocument = std::size_t{16} << 20;
constexpr std::size_t kLongestText = 400;
constexpr std::uint64_t kLargestPayload = std::uint64_t{1} << 62;
constexpr std::int32_t kVersion = 1;
constexpr double kMicro = 1e-6;
constexpr double kLongestTime = 1e6;  ///< seconds

Result<MeasuredTime> readTime(const std::string& name, const json& value, const JsonPlace& place, Collective collective,
                              Rank ranks) {
  const Algorithm* const algorithm = algorithmNamed(name);
  if (algorithm == nullptr) return wrongAt(place, "no algorithm is called '{}'", name.substr(0, kLongestText));
  if (!algorithm->serves(collective, ranks, false)) {
    return wrongAt(place, "algorithm '{}' does not serve {} on {} ranks", name, nameOf(collective), ranks);
  }
  const double seconds = value.is_number() ? value.get<double>() * kMicro : 0;
  if (!(seconds > 0 && seconds < kLongestTime)) return wrongAt(place, "{} is not a time in microseconds", shown(value));
  return MeasuredTime{algorithm, seconds};
}

Result<TuningRow> readRow(const json& value, const JsonPlace& place, Collective collective, Rank ranks) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  TuningRow row;
  ATOLL_ASSIGN(row.bytes, object.natural("bytes", kLargestPayload));
  ATOLL_ASSIGN(const json* const times, object.any("microseconds"));
  ATOLL_TRY(object.noOtherKeys());
  const JsonPlace timesPlace = place.key("microseconds");
  if (!times->is_object() || times->empty()) return wrongAt(timesPlace, "{} names no algorithm", shown(*times));
  for (const auto& item : times->items()) {
    ATOLL_ASSIGN(const MeasuredTime time,
                 readTime(item.key(), item.value(), timesPlace.key(item.key()), collective, ranks));
    row.times.push_back(time);
  }
  std::stable_sort(row.times.begin(), row.times.end(),
                   [](const MeasuredTime& a, const MeasuredTime& b) { return a.seconds < b.seconds; });
  return row;
}

Result<std::vector<TuningRow>> readRows(const json& value, const JsonPlace& place, Collective collective, Rank ranks) {
  if (!value.is_array()) return wrongAt(place, "not an array but {}", value.type_name());
  std::vector<TuningRow> rows;
  for (std::size_t i = 0; i < value.size(); ++i) {
    ATOLL_ASSIGN(TuningRow row, readRow(value[i], place.item(i), collective, ranks));
    if (!rows.empty() && row.bytes <= rows.back().bytes) {
      return wrongAt(place.item(i).key("bytes"), "{} does not follow {}: sizes must grow", row.bytes,
                     rows.back().bytes);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<TunedSite> readSite(const json& value, const JsonPlace& place) {
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(value, place));
  TunedSite tuned;
  ATOLL_ASSIGN(tuned.site.ranks, object.integer("ranks", 1, std::numeric_limits<Rank>::max()));
  ATOLL_ASSIGN(tuned.site.hosts, object.integer("hosts", 1, tuned.site.ranks));
  ATOLL_ASSIGN(tuned.site.links, object.text("links", kLongestText));
  if (object.has("measured")) {
    ATOLL_ASSIGN(tuned.measured, object.text("measured", kLongestText));
  }
  ATOLL_ASSIGN(const json* const collectives, object.any("collectives"));
  ATOLL_TRY(object.noOtherKeys());
  const JsonPlace collectivesPlace = place.key("collectives");
  if (!collectives->is_object()) return wrongAt(collectivesPlace, "not an object but {}", collectives->type_name());
  for (const auto& item : collectives->items()) {
    const JsonPlace rowsPlace = collectivesPlace.key(item.key());
    const auto collective = collectiveNamed(item.key());
    if (!collective) return wrongAt(rowsPlace, "no collective is called '{}'", item.key().substr(0, kLongestText));
    ATOLL_ASSIGN(tuned.rows[static_cast<std::size_t>(*collective)],
                 readRows(item.value(), rowsPlace, *collective, tuned.site.ranks));
  }
  return tuned;
}

/// Microseconds to four digits: more would be noise, and make two tables differ in every line.
std::string timesText(const TuningRow& row) {
  std::string text;
  for (const MeasuredTime& time : row.times) {
    text += fmt::format("{}\"{}\": {:.4g}", text.empty() ? "" : ", ", time.algorithm->name, time.seconds / kMicro);
  }
  return text;
}

}  // namespace

Result<TuningTable> TuningTable::fromJson(std::string_view text) {
  ATOLL_ASSIGN(const json document, parseJson(text, kLargestDocument));
  const JsonPlace top;
  ATOLL_ASSIGN(JsonObject object, JsonObject::of(document, top));
  ATOLL_ASSIGN(const std::string format, object.text("format", kLongestText));
  if (format != "atoll-tuning") return wrongAt(top.key("format"), "\"{}\" is not \"atoll-tuning\"", format);
  ATOLL_ASSIGN(const std::int32_t version, object.integer("version", 0, std::numeric_limits<std::int32_t>::max()));
  if (version != kVersion) {
    return wrongAt(top.key("version"), "this library reads version {}, not {}", kVersion, version);
  }
  ATOLL_ASSIGN(const json* const sites, object.array("sites"));
  ATOLL_TRY(object.noOtherKeys());

  TuningTable table;
  const JsonPlace sitesPlace = top.key("sites");
  for (std::size_t i = 0; i < sites->size(); ++i) {
    ATOLL_ASSIGN(TunedSite site, readSite((*sites)[i], sitesPlace.item(i)));
    if (table.at(site.site) != nullptr) {
      return wrongAt(sitesPlace.item(i), "{} comes a second time", describe(site.site));
    }
    table.put(std::move(site));
  }
  return table;
}

std::string TuningTable::toJson() const {
  std::string text = fmt::format("{{\n \"format\": \"atoll-tuning\",\n \"version\": {},\n \"sites\": [", kVersion);
  const char* nextSite = "\n";
  for (const TunedSite& tuned : sites_) {
    text += fmt::format("{}  {{\n   \"ranks\": {},\n   \"hosts\": {},\n   \"links\": {},\n", nextSite, tuned.site.ranks,
                        tuned.site.hosts, json(tuned.site.links).dump());
    if (!tuned.measured.empty()) text += fmt::format("   \"measured\": {},\n", json(tuned.measured).dump());
    text += "   \"collectives\": {";
    nextSite = ",\n";
    const char* nextCollective = "\n";
    for (int c = 0; c < kCollectives; ++c) {
      const auto collective = static_cast<Collective>(c);
      if (tuned.of(collective).empty()) continue;
      text += fmt::format("{}    \"{}\": [", nextCollective, nameOf(collective));
      nextCollective = ",\n";
      const char* nextRow = "\n";
      for (const TuningRow& row : tuned.of(collective)) {
        text += fmt::format("{}     {{\"bytes\": {}, \"microseconds\": {{{}}}}}", nextRow, row.bytes, timesText(row));
        nextRow = ",\n";
      }
      text += "\n    ]";
    }
    text += "\n   }\n  }";
  }
  return text + "\n ]\n}\n";
}

}  // namespace atl::plan
