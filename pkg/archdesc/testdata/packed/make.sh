#!/bin/sh
# Packs a made-up kernel, that of the file gzip, by the options of
# scripts/Makefile.lib and scripts/xz_wrap.sh.
set -e
cd "$(dirname "$0")"
gzip -dc <gzip | bzip2 -9 >bzip2
gzip -dc <gzip | lzma -9 >lzma
gzip -dc <gzip | xz --check=crc32 --x86 --lzma2=dict=32MiB >xz
gzip -dc <gzip | lzop -9 >lzo
gzip -dc <gzip | lz4 -l -9 - - >lz4
gzip -dc <gzip | zstd -22 --ultra >zstd
