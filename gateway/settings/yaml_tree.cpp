// Builds the tree from yaml-cpp's events, since its node interface neither tells where a key stood nor keeps
// the second of two equal keys apart.
#include "settings/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>
#include <utility>

namespace gw {
namespace {

SourceMark mark_of(const YAML::Mark& mark)
{
    return mark.is_null() ? SourceMark{} : SourceMark{mark.line + 1, mark.column + 1};
}

std::size_t count_nodes(const YamlNode& node)
{
    std::size_t count = 1;
    for (const YamlNode& item : node.items)
        count += count_nodes(item);
    for (const YamlNode::Entry& entry : node.entries)
        count += count_nodes(entry.value);
    return count;
}

// Thrown through the parser to end it; never leaves this file.
struct TooLarge {
    SourceMark mark;
};

class TreeBuilder : public YAML::EventHandler {
public:
    TreeBuilder(std::vector<Problem>& problems, std::size_t max_nodes) : problems_(problems), max_nodes_(max_nodes) {}

    YamlNode take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override
    {
        if (++documents_ == 2)
            complain(mark_of(mark), "a second document; a configuration is one");
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        finish({YamlNode::Kind::null, mark_of(mark), {}, {}, {}}, anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  const std::string& text) override
    {
        finish({YamlNode::Kind::scalar, mark_of(mark), text, {}, {}}, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        const auto found = anchored_.find(anchor);
        if (found == anchored_.end())
            complain(mark_of(mark), "an alias inside what it stands for");
        YamlNode copy = found == anchored_.end() ? YamlNode{} : found->second;
        copy.mark = mark_of(mark);
        count(count_nodes(copy), copy.mark);
        finish(std::move(copy), 0);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override
    {
        open({{YamlNode::Kind::sequence, mark_of(mark), {}, {}, {}}, anchor, std::nullopt});
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override
    {
        open({{YamlNode::Kind::mapping, mark_of(mark), {}, {}, {}}, anchor, std::nullopt});
    }
    void OnMapEnd() override { close(); }

private:
    struct Frame {
        YamlNode node;
        YAML::anchor_t anchor;
        std::optional<std::pair<std::string, SourceMark>> key; // that waits for its value
    };

    void complain(SourceMark mark, std::string message)
    {
        problems_.push_back({Problem::Severity::error, mark, {}, std::move(message)});
    }

    void count(std::size_t nodes, SourceMark mark)
    {
        if ((nodes_ += nodes) > max_nodes_)
            throw TooLarge{mark};
    }

    void open(Frame frame)
    {
        count(1, frame.node.mark);
        frames_.push_back(std::move(frame));
    }

    void close()
    {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        finish(std::move(frame.node), frame.anchor);
    }

    void finish(YamlNode node, YAML::anchor_t anchor)
    {
        if (anchor != 0)
            anchored_[anchor] = node;
        if (frames_.empty()) {
            if (documents_ == 1)
                root_ = std::move(node);
            return;
        }
        Frame& parent = frames_.back();
        if (parent.node.kind == YamlNode::Kind::sequence) {
            parent.node.items.push_back(std::move(node));
            return;
        }
        if (!parent.key) {
            if (node.kind != YamlNode::Kind::scalar)
                complain(node.mark, "a key must be text, not " + std::string{to_string(node.kind)});
            parent.key.emplace(std::move(node.text), node.mark);
            return;
        }
        // An empty value has no place of its own: yaml-cpp gives that of what follows.
        if (node.kind == YamlNode::Kind::null)
            node.mark = parent.key->second;
        parent.node.entries.push_back({std::move(parent.key->first), parent.key->second, std::move(node)});
        parent.key.reset();
    }

    std::vector<Problem>& problems_;
    const std::size_t max_nodes_;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, YamlNode> anchored_;
    YamlNode root_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

} // namespace

std::string_view to_string(YamlNode::Kind kind) noexcept
{
    switch (kind) {
    case YamlNode::Kind::null:
        return "nothing";
    case YamlNode::Kind::scalar:
        return "a single value";
    case YamlNode::Kind::sequence:
        return "a list";
    case YamlNode::Kind::mapping:
        return "a mapping";
    }
    return "";
}

YamlNode parse_yaml(const std::string& text, std::vector<Problem>& problems, std::size_t max_nodes)
{
    TreeBuilder builder{problems, max_nodes};
    try {
        std::istringstream in{text};
        YAML::Parser parser{in};
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const YAML::Exception& error) {
        problems.push_back({Problem::Severity::error, mark_of(error.mark), {}, "YAML syntax: " + error.msg});
    } catch (const TooLarge& error) {
        problems.push_back({Problem::Severity::error, error.mark, {}, "the document is too large"});
    }
    return builder.take();
}

} // namespace gw
