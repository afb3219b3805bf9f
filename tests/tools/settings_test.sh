#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/settings.md is what `atoll info --settings-markdown` prints.
exec diff -u "$2/docs/settings.md" - <<TEXT
$("$1" info --settings-markdown)
TEXT
