// See curl.h.
#include "troupe/late/curl.h"

#include <stdexcept>

#include "troupe/late/library.h"

namespace troupe::late {

const Curl& curl() {
  static const Curl functions = [] {
    const Library library{"libcurl.so.4", "libcurl4"};
    Curl all{};
    library.find(all.easy_cleanup, "curl_easy_cleanup");
    library.find(all.easy_getinfo, "curl_easy_getinfo");
    library.find(all.easy_init, "curl_easy_init");
    library.find(all.easy_perform, "curl_easy_perform");
    library.find(all.easy_recv, "curl_easy_recv");
    library.find(all.easy_send, "curl_easy_send");
    library.find(all.easy_setopt, "curl_easy_setopt");
    library.find(all.easy_strerror, "curl_easy_strerror");
    library.find(all.multi_add_handle, "curl_multi_add_handle");
    library.find(all.multi_cleanup, "curl_multi_cleanup");
    library.find(all.multi_info_read, "curl_multi_info_read");
    library.find(all.multi_init, "curl_multi_init");
    library.find(all.multi_perform, "curl_multi_perform");
    library.find(all.multi_poll, "curl_multi_poll");
    library.find(all.multi_remove_handle, "curl_multi_remove_handle");
    library.find(all.multi_setopt, "curl_multi_setopt");
    library.find(all.slist_append, "curl_slist_append");
    library.find(all.slist_free_all, "curl_slist_free_all");
    return all;
  }();
  return functions;
}

void end_easy(CURL* easy) noexcept { curl().easy_cleanup(easy); }
void end_multi(CURLM* multi) noexcept { curl().multi_cleanup(multi); }
void free_list(curl_slist* list) noexcept { curl().slist_free_all(list); }

void add_line(CurlList& list, const std::string& line) {
  curl_slist* longer = curl().slist_append(list.get(), line.c_str());
  if (longer == nullptr) throw std::runtime_error{"libcurl has no memory"};
  (void)list.release();
  list.reset(longer);
}

}  // namespace troupe::late
