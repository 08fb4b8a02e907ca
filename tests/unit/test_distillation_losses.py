"""Distillation's formulas in closed form, and where the gradient of each of its terms goes."""

import copy

import pytest
import torch

from tfake.landmarks.distillation_losses import decay_factor, feature_distance, gaussian_divergence
from tfake.landmarks.distillation_terms import TERMS, Lesson
from tfake.landmarks.distilled_network import DistilledNetwork, FeatureMap, freeze, keep_statistics
from tfake.landmarks.landmark_network import HEADS, LandmarkArchitecture, LandmarkNetwork, gaussian_nll

pytestmark = pytest.mark.usefixtures("one_thread")


def build(backbone="resnet10t", head="heatmap", pixels=64, landmarks=5, seed=0):
    torch.manual_seed(seed)
    return LandmarkNetwork(LandmarkArchitecture(landmarks, backbone, head, pixels))


def gaussians(seed, dtype=torch.float64):
    values = torch.rand(3, 4, 3, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return torch.cat((values[..., :2], 0.05 + values[..., 2:]), 2)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("number", [torch.float32, torch.bfloat16])
def test_a_network_cut_in_two_is_the_network_to_the_bit(head, training, number):
    network, images = build(head=head).train(training), torch.rand(2, 1, 64, 64).expand(-1, 3, -1, -1)
    twin = copy.deepcopy(network)

    def body():
        return torch.autocast("cpu", number, enabled=number != torch.float32)

    features = twin.features(images, body())
    assert [(64 // one.shape[2], one.shape[1]) for one in features] == list(network.feature_scales)
    assert torch.equal(twin.points_of(features, body()), network(images, body()))


def test_a_network_cut_in_two_stretches_what_it_is_shown():
    torch.manual_seed(0)
    network = LandmarkNetwork(LandmarkArchitecture(5, "resnet10t", "heatmap", 64, thermal_stretch=True)).eval()
    images = 0.4 + 0.1 * torch.rand(2, 1, 64, 64).expand(-1, 3, -1, -1)
    assert torch.equal(network.points_of(network.features(images)), network(images))
    assert not torch.equal(network.decode(network.encode(images)), network(images))


def test_the_divergence_is_that_of_two_gaussians():
    found, taught = gaussians(0), gaussians(1)

    def normal(answers):
        return torch.distributions.Normal(answers[..., :2], answers[..., 2:].expand(-1, -1, 2))

    expected = torch.distributions.kl_divergence(normal(taught), normal(found)).mean(-1)
    torch.testing.assert_close(gaussian_divergence(found, taught), expected)
    assert (expected > 0).all()
    assert gaussian_divergence(found, found).abs().max() < 1e-12
    torch.testing.assert_close(gaussian_divergence(found, taught, 0.5), expected * found[..., 2])


def test_a_teacher_that_is_sure_is_a_truth():
    found, taught = gaussians(0), gaussians(1)
    taught[..., 2] = 1e-7
    more = gaussian_divergence(found, taught) - gaussian_nll(found, taught[..., :2])
    torch.testing.assert_close(more, torch.full_like(more, -torch.tensor(1e-7).double().log().item() - 0.5))


def test_the_divergence_has_the_right_gradient_and_none_for_the_teacher():
    found, taught = gaussians(0).requires_grad_(), gaussians(1).requires_grad_()
    assert torch.autograd.gradcheck(lambda f: gaussian_divergence(f, gaussians(1)), found)
    gaussian_divergence(found, taught).sum().backward()
    assert taught.grad is None


def test_the_distance_of_features_is_a_mean_over_channels_places_and_scales():
    taught = (torch.zeros(2, 3, 4, 4), torch.zeros(2, 8, 2, 2))
    mapped = (torch.full((2, 3, 4, 4), 2.0), torch.full((2, 8, 2, 2), 4.0))
    assert feature_distance(mapped, taught).tolist() == [10.0, 10.0]
    taught[1][1] += 4.0
    assert feature_distance(mapped, taught).tolist() == [10.0, 2.0]


def test_the_weight_fades_over_the_run():
    assert [decay_factor(step, 4, "linear") for step in range(4)] == [1.0, 0.75, 0.5, 0.25]
    assert {decay_factor(step, 4, "none") for step in range(4)} == {1.0}


def test_features_are_mapped_to_the_channels_and_the_size_of_the_other_network():
    small, large = build(pixels=64), build("lcnet_050", pixels=128)
    for source, target in ((small, large), (large, small)):
        maps = FeatureMap(source, target)
        pixels = source.architecture.image_pixels
        mapped = maps(source.features(torch.rand(2, 3, pixels, pixels)))
        pixels = target.architecture.image_pixels
        expected = target.features(torch.rand(2, 3, pixels, pixels))
        assert [one.shape for one in mapped] == [one.shape for one in expected]


def test_what_agrees_is_left_as_it_is():
    network = build()
    features = network.features(torch.rand(2, 3, 64, 64))
    mapped = FeatureMap(network, build(seed=1))(features)
    assert all(one is other for one, other in zip(mapped, features, strict=True))


def test_networks_of_other_strides_do_not_fit():
    with pytest.raises(ValueError, match=r"same strides; found \[8, 16, 32\] of resnet10t and \[32\] of resnet10t"):
        FeatureMap(build(), build(head="pooled"))


def teach(term, head="heatmap"):
    """A student, its teacher, and the term's loss on random crops of which the teacher did not see the last."""
    chosen = TERMS[term]
    teacher = freeze(build("lcnet_050", head, pixels=32, seed=1))
    taught = DistilledNetwork(build(head=head), teacher, chosen.raises, chosen.injects).train()
    images, points = torch.rand(4, 3, 64, 64), torch.rand(4, 5, 2)
    with torch.no_grad():
        features = teacher.features(torch.rand(4, 3, 32, 32))
        expected = teacher.points_of(features)
    answers = taught(images, features)
    is_seen = torch.tensor([True, True, True, False])
    precision = lambda: torch.autocast("cpu", enabled=False)  # noqa: E731
    lesson = Lesson(
        *answers, features, expected, teacher, precision, points, torch.ones(4, 5) * is_seen[:, None], is_seen, 0.5
    )
    return taught, teacher, answers, chosen.loss(lesson)


def reached(part):
    """Whether the gradient reached all, some or none of a module's weights."""
    grads = {parameter.grad is not None and bool(parameter.grad.any()) for parameter in part.parameters()}
    return "all" if grads == {True} else "none" if grads <= {False} else "some"


@pytest.mark.parametrize(
    ("term", "backbone", "head", "up", "down"),
    [
        ("fd", True, False, True, False),
        ("ld", True, True, False, False),
        ("fi", False, True, False, True),
        ("ri", True, False, True, False),
    ],
)
@pytest.mark.parametrize("kind", HEADS)
def test_gradients_reach_what_a_term_teaches_and_nothing_else(term, backbone, head, up, down, kind):
    taught, teacher, _, loss = teach(term, kind)
    loss.backward()
    body = taught.student.body
    own_head = [part for name, part in body.named_children() if name != "backbone"]
    assert (reached(body.backbone) != "none") == backbone
    assert {reached(part) != "none" for part in own_head} == {head}
    assert (taught.up is not None, taught.down is not None) == (up, down)
    assert all(reached(part) == "all" for part in (taught.up, taught.down) if part is not None)
    assert all(parameter.grad is None for parameter in teacher.parameters())


@pytest.mark.parametrize("term", TERMS)
def test_the_teacher_stays_to_the_bit_and_what_it_did_not_see_has_no_gradient(term):
    _, teacher, answers, loss = teach(term)
    before = copy.deepcopy(teacher.state_dict())
    kept = answers.injected if term == "fi" else answers.raised[0] if answers.raised else answers.found
    kept.retain_grad()
    loss.backward()
    assert kept.grad[:3].any()
    assert not kept.grad[3].any()
    assert not teacher.training
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_what_is_injected_leaves_the_student_s_statistics_alone():
    student = build().train()
    before = copy.deepcopy(student.state_dict())
    with keep_statistics(student):
        student(torch.rand(4, 3, 64, 64))
    means = [name for name in before if name.endswith(("running_mean", "running_var"))]
    assert means
    assert all(torch.equal(student.state_dict()[name], before[name]) for name in means)
    student(torch.rand(4, 3, 64, 64))
    assert not any(torch.equal(student.state_dict()[name], before[name]) for name in means)


def test_in_the_stage_of_the_head_the_backbone_is_a_constant():
    taught = DistilledNetwork(build(), None, False, False).train()
    body = taught.student.body
    before = copy.deepcopy(body.backbone.state_dict())
    taught(torch.rand(4, 3, 64, 64), head_only=True).found.sum().backward()
    assert (reached(body.backbone), reached(body.maps)) == ("none", "all")
    assert all(torch.equal(value, before[name]) for name, value in body.backbone.state_dict().items())
    assert body.backbone.training
