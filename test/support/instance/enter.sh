#!/bin/bash
# Makes a root of this machine's programs with nothing else in it, and runs a script there: enter ROOT AWS_CLI SCRIPT
set -euo pipefail
root="$1"
mkdir -p "$root"/{usr,proc,dev,tmp,etc/systemd/system,opt,var/lib,run,root,stand-ins,aws-cli}
for folder in bin sbin lib lib64; do
  [ -L "/$folder" ] && ln -sfn "usr/$folder" "$root/$folder"
done
mount --rbind /usr "$root/usr"
mount --rbind /dev "$root/dev"
mount --bind "$2" "$root/aws-cli"
mount -t proc proc "$root/proc" 2> /dev/null || mount --rbind /proc "$root/proc"
for file in ld.so.cache ld.so.conf ld.so.conf.d nsswitch.conf localtime; do
  [ -e "/etc/$file" ] && cp -rL "/etc/$file" "$root/etc/"
done
echo 'root:x:0:0:root:/root:/bin/bash' > "$root/etc/passwd"
echo '127.0.0.1 localhost' > "$root/etc/hosts"
code=0
PATH=/stand-ins:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /bin/bash "$3" || code=$?
echo "$code" > "$root/code.new"
mv "$root/code.new" "$root/code"
# The services go on until the test ends this.
exec sleep infinity
