// Curl: the functions of libcurl that we call, under its header's own types; libcurl is opened with the first look at
// them.
#pragma once

#include <curl/curl.h>

#include <string>

#include "troupe/base/handle.h"

namespace troupe::late {

struct Curl {
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_recv) easy_recv;
  decltype(&::curl_easy_send) easy_send;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_multi_add_handle) multi_add_handle;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_info_read) multi_info_read;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_perform) multi_perform;
  decltype(&::curl_multi_poll) multi_poll;
  decltype(&::curl_multi_remove_handle) multi_remove_handle;
  decltype(&::curl_multi_setopt) multi_setopt;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;
};

/// Any thread. Throws std::runtime_error where libcurl is not installed.
const Curl& curl();

void end_easy(CURL* easy) noexcept;
void end_multi(CURLM* multi) noexcept;
void free_list(curl_slist* list) noexcept;

/// What libcurl has made, with its one owner.
using CurlEasy = base::Handle<CURL, end_easy>;
using CurlMulti = base::Handle<CURLM, end_multi>;
using CurlList = base::Handle<curl_slist, free_list>;

/// Appends a header line. Throws std::runtime_error where libcurl has no memory.
void add_line(CurlList& list, const std::string& line);

}  // namespace troupe::late
