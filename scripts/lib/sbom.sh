#!/bin/sh
# sbom.sh - prints a list of the software in an image (SPDX 2.3, JSON): the Debian packages that are installed where the
# script runs, and the Swift packages and the Swift toolchain from which the programs were built.
# usage: sbom.sh NAME VERSION PACKAGE-RESOLVED TOOLCHAIN
#   PACKAGE-RESOLVED    the file in which SwiftPM has recorded the versions of the packages
#   TOOLCHAIN           the version of the Swift toolchain, for example 6.3.1
# The variable SOURCE_DATE_EPOCH, in seconds since 1970, replaces the current time in the list.
set -eu
name=$1 version=$2 resolved=$3 toolchain=$4

# Prints a line for each package: its name, its version and its package URL.
packages() {
    printf 'swift\t%s\tpkg:generic/swift@%s\n' "$toolchain" "$toolchain"
    # Each pin has the key "location" before the key "version".
    sed -n -e 's/.*"location" : "https:\/\/\(.*\)".*/\1/p' -e 's/.*"version" : "\(.*\)".*/\1/p' "$resolved" |
        while read -r location && read -r pin; do
            location=${location%.git}
            printf '%s\t%s\tpkg:swift/%s@%s\n' "${location##*/}" "$pin" "$location" "$pin"
        done
    # shellcheck disable=SC2016 # dpkg-query expands these names, not the shell.
    dpkg-query -W -f '${Package}\t${Version}\tpkg:deb/debian/${Package}@${Version}?arch=${Architecture}\n'
}

list=$(packages)
hash=$(printf '%s %s\n%s\n' "$name" "$version" "$list" | sha256sum | cut -c 1-32)
created=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%dT%H:%M:%SZ)
cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "$name-$version",
  "documentNamespace": "https://spdx.org/spdxdocs/$name-$version-$hash",
  "creationInfo": {"created": "$created", "creators": ["Tool: $name-sbom"]},
  "documentDescribes": ["SPDXRef-image"],
  "packages": [
    {"SPDXID": "SPDXRef-image", "name": "$name", "versionInfo": "$version", "downloadLocation": "NOASSERTION",
     "filesAnalyzed": false, "licenseDeclared": "Apache-2.0"}
END
printf '%s\n' "$list" | awk -F '\t' '{
    url = $3; gsub(/\+/, "%2B", url)
    printf "    ,{\"SPDXID\": \"SPDXRef-%d\", \"name\": \"%s\", \"versionInfo\": \"%s\", \"downloadLocation\": \"NOASSERTION\",\n", NR, $1, $2
    printf "      \"filesAnalyzed\": false, \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", \"referenceType\": \"purl\", \"referenceLocator\": \"%s\"}]}\n", url
}'
echo '  ],'
echo '  "relationships": ['
printf '%s\n' "$list" | awk '{
    printf "    %s{\"spdxElementId\": \"SPDXRef-image\", \"relationshipType\": \"CONTAINS\", \"relatedSpdxElement\": \"SPDXRef-%d\"}\n", (NR > 1 ? "," : ""), NR
}'
echo '  ]'
echo '}'
