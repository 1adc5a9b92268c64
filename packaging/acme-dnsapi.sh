#!/bin/sh
# Runs a dnsapi file of acme.sh, unmodified, for hotcert's `style acme.sh`: gives it the helpers that
# such files call. Written from their documented contract; nothing of acme.sh is in here.
#
#     acme-dnsapi.sh FILE add|rm FQDN VALUE
#
# FILE is dns_NAME.sh and defines dns_NAME_add and dns_NAME_rm. What it saves is kept below
# LE_CONFIG_HOME if that is set (`env LE_CONFIG_HOME FOLDER`), else for this run alone. It needs curl;
# openssl for files that sign.

PROJECT_NAME="hotcert"
USER_AGENT="hotcert-dnsapi"
dnsapi_file=$1
dnsapi_what=$2
dnsapi_fqdn=$3
dnsapi_value=$4

dnsapi_tmp=$(mktemp -d "${TMPDIR:-/tmp}/hotcert-dnsapi.XXXXXX") || exit 1
trap 'rm -rf "$dnsapi_tmp"' EXIT
trap 'exit 1' HUP INT TERM
umask 077

LE_CONFIG_HOME=${LE_CONFIG_HOME:-$dnsapi_tmp}
LE_WORKING_DIR=$LE_CONFIG_HOME
ACCOUNT_CONF_PATH=$LE_CONFIG_HOME/account.conf
DOMAIN_CONF=$LE_CONFIG_HOME/domain.conf
HTTP_HEADER=$dnsapi_tmp/header
export HTTP_HEADER LE_CONFIG_HOME LE_WORKING_DIR ACCOUNT_CONF_PATH

# ---- messages: what is for debugging stays unsaid, secrets always ----

_info() { if [ -z "$2" ]; then printf '%s\n' "$1" >&2; else printf "%s='%s'\n" "$1" "$2" >&2; fi; }
_err() { _info "$@"; return 1; }
_debug() { return 0; }
_debug2() { return 0; }
_debug3() { return 0; }
_secure_debug() { return 0; }
_secure_debug2() { return 0; }
_secure_debug3() { return 0; }
_log() { return 0; }
_usage() { _info "$@"; }

# ---- texts ----

_exists() { command -v "$1" >/dev/null 2>&1; }
_contains() { printf '%s\n' "$1" | grep -- "$2" >/dev/null 2>&1; }
_startswith() { printf '%s\n' "$1" | grep -- "^$2" >/dev/null 2>&1; }
_endswith() { printf '%s\n' "$1" | grep -- "$2\$" >/dev/null 2>&1; }
_egrep_o() { grep -E -o -- "$1"; }
_head_n() { head -n "$1"; }
_tail_n() { tail -n "$1"; }
_upper_case() { tr '[:lower:]' '[:upper:]'; }
_lower_case() { tr '[:upper:]' '[:lower:]'; }
_math() { printf '%s' "$(($*))"; }
_sleep() { sleep "$1"; }
_time() { date -u '+%s'; }
_utc_date() { date -u '+%Y-%m-%d %H:%M:%S'; }
_date2time() { date -u -d "$(printf '%s' "$1" | tr 'TZ' '  ')" '+%s'; }
_time2str() { date -u -d "@$1" '+%Y-%m-%dT%H:%M:%SZ'; }
_mktemp() { mktemp "$dnsapi_tmp/file.XXXXXX"; }
_ss() { return 1; }
_hasfield() {
  _hf_sep=${3:-,}
  case "$_hf_sep$1$_hf_sep" in *"$_hf_sep$2$_hf_sep"*) return 0 ;; esac
  return 1
}
_getfield() { printf '%s' "$1" | cut -d "${3:-,}" -f "$2"; }
_sed_i() { sed -i "$1" "$2"; }
_normalizeJson() { sed 's/" *: *\(["{\[]\)/":\1/g' | sed 's/^ *\([^ ]\)/\1/' | tr -d '\r\n'; }
_json_decode() { sed 's/\\"/"/g; s/\\\//\//g; s/\\\\/\\/g'; }
_json_encode() { sed 's/\\/\\\\/g; s/"/\\"/g' | tr '\n' ' '; }
_is_idn() { printf '%s' "$1" | LC_ALL=C grep '[^ -~]' >/dev/null 2>&1; }
_idn() {
  if ! _is_idn "$1"; then printf '%s' "$1"
  elif _exists idn2; then idn2 -- "$1"
  elif _exists idn; then idn -a --quiet -- "$1"
  else _err "$1: to write it as an A-label, idn2 is needed"; fi
}

# ---- bytes ----

_hex_dump() { od -A n -v -t x1 | tr -s ' ' | sed 's/ $//' | tr -d '\r\t\n'; }
_ascii_hex() { _hex_dump | tr -d ' '; }
_h2b() {
  _h2b_hex=$(cat)
  while [ -n "$_h2b_hex" ]; do
    _h2b_rest=${_h2b_hex#??}
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' "0x${_h2b_hex%"$_h2b_rest"}")"
    _h2b_hex=$_h2b_rest
  done
}
_url_encode() {
  _ue_upper=$1
  for _ue_hex in $(_hex_dump); do
    case $_ue_hex in
      2d | 2e | 3? | 4? | 5? | 5f | 6? | 7?) case $_ue_hex in
          3[a-f] | 40 | 5[b-e] | 60 | 7[b-d] | 7f) ;;
          # shellcheck disable=SC2059
          *) printf "\\$(printf '%03o' "0x$_ue_hex")"; continue ;;
        esac ;;
    esac
    if [ -n "$_ue_upper" ]; then _ue_hex=$(printf '%s' "$_ue_hex" | _upper_case); fi
    printf '%%%s' "$_ue_hex"
  done
}
_base64() { if [ -n "$1" ]; then base64; else base64 | tr -d '\r\n'; fi; }
_dbase64() { base64 -d; }
_digest() {
  if [ -n "$2" ]; then openssl dgst -"$1" -hex | sed 's/.*[ =]//'
  else openssl dgst -"$1" -binary | _base64; fi
}
# RFC 2104, from the digest alone: a key on the command line of openssl would be shown to everybody.
_hmac_pad() { # KEYHEX BLOCK XOR
  _hp_hex=$1
  _hp_left=$2
  while [ "$_hp_left" -gt 0 ]; do
    _hp_rest=${_hp_hex#??}
    _hp_byte=${_hp_hex%"$_hp_rest"}
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' "$((0x${_hp_byte:-0} ^ $3))")"
    _hp_hex=$_hp_rest
    _hp_left=$((_hp_left - 1))
  done
}
_hmac_bytes() { # DIGEST KEYHEX
  _hb_key=$2
  _hb_block=64
  case $1 in sha384 | sha512) _hb_block=128 ;; esac
  if [ "${#_hb_key}" -gt $((_hb_block * 2)) ]; then
    _hb_key=$(printf '%s' "$_hb_key" | _h2b | openssl dgst -"$1" -binary | _ascii_hex)
  fi
  _hb_inner=$({ _hmac_pad "$_hb_key" "$_hb_block" 54; cat; } | openssl dgst -"$1" -binary | _ascii_hex)
  { _hmac_pad "$_hb_key" "$_hb_block" 92; printf '%s' "$_hb_inner" | _h2b; } | openssl dgst -"$1" -binary
}
_hmac() {
  if [ -n "$3" ]; then _hmac_bytes "$1" "$2" | _ascii_hex && echo
  else _hmac_bytes "$1" "$2" | _base64; fi
}
_sign() { openssl dgst -sign "$1" -"$2" | _base64; }

# ---- what is saved ----

_save_conf() {
  [ -f "$1" ] || : >"$1"
  _sc_value=$3
  if [ -n "$4" ]; then _sc_value="__ACME_BASE64__START_$(printf '%s' "$3" | _base64)__ACME_BASE64__END_"; fi
  grep -v "^$2=" "$1" >"$dnsapi_tmp/conf" 2>/dev/null
  printf "%s='%s'\n" "$2" "$_sc_value" >>"$dnsapi_tmp/conf"
  cat "$dnsapi_tmp/conf" >"$1"
  rm -f "$dnsapi_tmp/conf"
}
_clear_conf() {
  [ -f "$1" ] || return 0
  grep -v "^$2=" "$1" >"$dnsapi_tmp/conf"
  cat "$dnsapi_tmp/conf" >"$1"
}
_read_conf() {
  [ -f "$1" ] || return 0
  _rc_value=$(sed -n "s/^$2='\(.*\)'\$/\1/p" "$1" | tail -n 1)
  case $_rc_value in
    __ACME_BASE64__START_*__ACME_BASE64__END_)
      _rc_value=${_rc_value#__ACME_BASE64__START_}
      printf '%s' "${_rc_value%__ACME_BASE64__END_}" | _dbase64 ;;
    *) printf '%s\n' "$_rc_value" ;;
  esac
}
_saveaccountconf() { _save_conf "$ACCOUNT_CONF_PATH" "$1" "$2" "$3"; }
_readaccountconf() { _read_conf "$ACCOUNT_CONF_PATH" "$1"; }
_clearaccountconf() { _clear_conf "$ACCOUNT_CONF_PATH" "$1"; }
_saveaccountconf_mutable() { _saveaccountconf "SAVED_$1" "$2" "$3"; _clearaccountconf "$1"; }
_readaccountconf_mutable() {
  _ra_value=$(_readaccountconf "SAVED_$1")
  if [ -z "$_ra_value" ]; then _ra_value=$(_readaccountconf "$1"); fi
  printf '%s\n' "$_ra_value"
}
_clearaccountconf_mutable() { _clearaccountconf "SAVED_$1"; _clearaccountconf "$1"; }
_savedomainconf() { _save_conf "$DOMAIN_CONF" "$1" "$2" "$3"; }
_readdomainconf() { _read_conf "$DOMAIN_CONF" "$1"; }
_cleardomainconf() { _clear_conf "$DOMAIN_CONF" "$1"; }
_savedeployconf() { _savedomainconf "SAVED_$1" "$2" "$3"; }
_getdeployconf() { return 0; }
_migratedomainconf() { return 0; }
_migrateaccountconf() { return 0; }

# ---- HTTP ----

_resethttp() { : >"$HTTP_HEADER"; }
_inithttp() { _resethttp; }

# Headers and the URL by a file of curl's: they hold secrets, which a command line would show to
# everybody. A line end in one would begin another option of curl's.
_curl_text() { printf '%s' "$1" | tr -d '\r\n' | sed 's/\\/\\\\/g; s/"/\\"/g'; }

# _curl URL OPTION..
_curl() {
  _c_conf=$dnsapi_tmp/curl
  printf 'url = "%s"\n' "$(_curl_text "$1")" >"$_c_conf"
  shift
  for _c_header in "$_H1" "$_H2" "$_H3" "$_H4" "$_H5"; do
    [ -n "$_c_header" ] || continue
    printf 'header = "%s"\n' "$(_curl_text "$_c_header")" >>"$_c_conf"
  done
  : >"$HTTP_HEADER"
  curl --silent --show-error -K "$_c_conf" --user-agent "$USER_AGENT" ${HTTPS_INSECURE:+--insecure} \
    ${CA_BUNDLE:+--cacert "$CA_BUNDLE"} --dump-header "$HTTP_HEADER" --location "$@"
  _c_code=$?
  rm -f "$_c_conf"
  return $_c_code
}

# _get URL [ONLYHEADER] [TIMEOUT]
_get() {
  _g_time=${3:-60}
  if [ -n "$2" ]; then _curl "$1" --head --max-time "$_g_time"
  else _curl "$1" --max-time "$_g_time"; fi
}

# _post BODY URL [BASE64] [METHOD] [CONTENT-TYPE]
_post() {
  printf '%s' "$1" >"$dnsapi_tmp/body"
  if [ "${4:-POST}" = HEAD ]; then
    _curl "$2" --max-time 60 --head >"$dnsapi_tmp/reply"
  elif [ -n "$5" ]; then
    _curl "$2" --max-time 60 --request "${4:-POST}" -H "Content-Type: $5" --data-binary "@$dnsapi_tmp/body" >"$dnsapi_tmp/reply"
  else
    _curl "$2" --max-time 60 --request "${4:-POST}" --data-binary "@$dnsapi_tmp/body" >"$dnsapi_tmp/reply"
  fi
  _p_code=$?
  rm -f "$dnsapi_tmp/body"
  if [ -n "$3" ]; then _base64 <"$dnsapi_tmp/reply"; else cat "$dnsapi_tmp/reply"; fi
  rm -f "$dnsapi_tmp/reply"
  return $_p_code
}

# ---- the file ----

dnsapi_name=${dnsapi_file##*/}
dnsapi_name=${dnsapi_name%.sh}
case $dnsapi_name in
  *[!A-Za-z0-9_]* | '') printf '%s: its name must be that of its functions, as dns_NAME.sh\n' "$dnsapi_file" >&2; exit 1 ;;
esac
_resethttp
# shellcheck disable=SC1090
. "$dnsapi_file" || exit 1
if ! command -v "${dnsapi_name}_$dnsapi_what" >/dev/null 2>&1; then
  printf '%s has no function %s_%s\n' "$dnsapi_file" "$dnsapi_name" "$dnsapi_what" >&2
  exit 1
fi
"${dnsapi_name}_$dnsapi_what" "$dnsapi_fqdn" "$dnsapi_value"
