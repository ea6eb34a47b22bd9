#!/bin/bash
# Certificates for a lab: a CA, the control service's pair, and those of its clients. In production
# they come from an authority that you already have.
#
#   certs.sh DIR [NAME…]    NAME: a further host name or address of the control service
#
# Writes NAME.pem and NAME.key (readable by their owner only) for ca, server, viewer, operator, admin
# and each of DATAPLANES. The common name of a client's certificate is the name of its file, and a
# data plane's must be its --id. An existing CA is kept, and all others are made anew: each file is
# replaced as a whole, so programs that are running notice nothing but a new certificate.
#
#   DATAPLANES='dataplane'    names of data planes
#   DAYS=365                  how long certificates hold
#   CA_DAYS=3650              how long a new CA holds
set -euo pipefail

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }
case ${1-} in
    '') usage >&2; exit 2 ;;
    -h | --help) usage; exit ;;
esac
dir=$1
shift
command -v openssl >/dev/null || { echo 'certs.sh: openssl is missing: apt-get install openssl' >&2; exit 1; }

for name in "$@" ${DATAPLANES-}; do
    case $name in
        *[!A-Za-z0-9.:_-]*) echo "certs.sh: $name: a name has letters, digits, \`.\`, \`:\`, \`_\` and \`-\`" >&2; exit 2 ;;
    esac
done
umask 077
mkdir -p "$dir"
new=$(mktemp -d "$dir/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT

# make NAME DAYS EXTENSIONS [how it is signed…]
make() {
    local name=$1 days=$2 extensions=$3 said
    shift 3
    said=$(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -sha256 -days "$days" "$@" \
        -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n[ext]\n%b' "$extensions") -extensions ext \
        -subj "/CN=$name" -keyout "$new/$name.key" -out "$new/$name.pem" 2>&1) ||
        { echo "certs.sh: $name: $said" >&2; exit 1; }
    chmod 0644 "$new/$name.pem"
    mv "$new/$name.key" "$new/$name.pem" "$dir"
}

# leaf NAME PURPOSE [further extensions]
leaf() {
    make "$1" "${DAYS:-365}" "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
extendedKeyUsage=$2\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n${3-}" \
        -CA "$dir/ca.pem" -CAkey "$dir/ca.key"
}

alternatives=DNS:localhost,IP:127.0.0.1,IP:::1
for name; do
    case $name in
        *:* | *[0-9].[0-9]*.[0-9]*.[0-9]*) alternatives+=,IP:$name ;;
        *) alternatives+=,DNS:$name ;;
    esac
done

[ -s "$dir/ca.key" ] && [ -s "$dir/ca.pem" ] ||
    make ca "${CA_DAYS:-3650}" 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n'
leaf server serverAuth "subjectAltName=$alternatives\n"
for name in viewer operator admin ${DATAPLANES-dataplane}; do
    leaf "$name" clientAuth
done
echo "$dir: $(cd "$dir" && echo *.pem)"
